import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChildProgram, startProgram } from '../../src/demo/child-program.ts';
import type { StepResult } from '../../src/protocol/run-result.ts';
import { chain } from '../support/chain.ts';
import { type Site, startSite } from '../support/site.ts';
import {
  type BridgeProcess,
  pairRunner,
  runnerEnv,
  runnerProgram,
  startBridgeProcess,
} from '../support/system.ts';
import { suiteFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

// What the server's flows reach on the machine of a runner that was given no options, and what they never reach.

describe('the machine of a runner', () => {
  const folder = suiteFolder();
  const home = (): string => join(folder(), 'runner');
  let site: Site;
  let bridge: BridgeProcess;

  beforeAll(async () => {
    site = await startSite({ '/': '<h1>Inside</h1>' });
    bridge = await startBridgeProcess(join(folder(), 'bridge'));
    await pairRunner(bridge, home());
  });
  afterAll(async () => {
    await bridge?.program.stop();
    await site?.close();
  });

  /** A runner with these options and no others, while `work` lasts; what it said. */
  async function whileRunning(
    args: readonly string[],
    work: (lines: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const lines: string[] = [];
    const { QUALINET_ALLOW_HOSTS: _, ...env } = runnerEnv(home());
    const runner: ChildProgram = startProgram(runnerProgram, ['start', ...args], {
      env,
      onStderr: (line) => lines.push(line),
    });
    try {
      await until('it waits', () => lines.some((line) => line.includes('connected; waiting')), 30_000);
      await work(lines);
    } finally {
      await runner.stop();
    }
  }

  async function opening(url: string): Promise<StepResult | undefined> {
    const runId = await bridge.submit(
      chain({ id: 'open', type: 'navigate', data: { url, timeoutMs: 5_000 } }),
    );
    return (await bridge.over(runId, 30_000)).stepsResult?.at(-1);
  }

  it('is closed to flows as long as nobody opens it: the step names the flag, which opens just that', async () => {
    const { host } = new URL(site.url);
    await whileRunning([], async (lines) => {
      expect(lines.join('\n')).toContain('network that flows may reach: lan');
      for (const url of [site.url, site.url.replace('127.0.0.1', 'localhost'), bridge.url]) {
        expect(await opening(url), url).toMatchObject({
          status: 'failed',
          errorKind: 'blocked',
          error: expect.stringContaining(`allow it with: --allow-host ${new URL(url).host}`),
        });
      }
    });
    expect(site.requests).toEqual([]);

    await whileRunning(['--allow-host', host], async () => {
      expect(await opening(site.url)).toMatchObject({ status: 'passed' });
      expect(await opening(bridge.url)).toMatchObject({ errorKind: 'blocked' });
    });
    expect(site.requests).toEqual(['/']);
  });

  it('never opens the port on which the runner tells how it is', async () => {
    const args = ['--network', 'open', '--allow-host', 'localhost', '--allow-host', '127.0.0.1'];
    await whileRunning([...args, '--health-listen', '0'], async (lines) => {
      const port = /health: http:\/\/127\.0\.0\.1:(\d+)\/live/.exec(lines.join('\n'))?.[1];
      for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]']) {
        expect(await opening(`http://${host}:${port}/metrics`), host).toMatchObject({
          status: 'failed',
          errorKind: 'blocked',
          error: expect.stringContaining('it is a port of this runner itself, which no flow reaches'),
        });
      }
      expect(await opening(site.url)).toMatchObject({ status: 'passed' });
    });
  });
});
