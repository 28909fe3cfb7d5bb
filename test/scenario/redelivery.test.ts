import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChildProgram } from '../../src/demo/child-program.ts';
import { chain } from '../support/chain.ts';
import { html, type Site, startSite } from '../support/site.ts';
import { type BridgeProcess, pairRunner, startBridgeProcess, startRunnerProcess } from '../support/system.ts';
import { suiteFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

// A runner that is killed says nothing more. Whether its run may start again depends on what the bridge knew by then. It is
// not started again here before the bridge has decided, so that nothing of its spool can tell.

describe('a run with onRedelivery auto whose runner is killed', () => {
  const folder = suiteFolder();
  let site: Site;
  let bridge: BridgeProcess;
  let runner: ChildProgram;
  /** Kills the runner in the moment that this path is asked for. */
  let deadlyPath: string | null = null;
  const home = (): string => join(folder(), 'runner');

  beforeAll(async () => {
    const kill = (path: string): void => {
      if (deadlyPath !== path) return;
      deadlyPath = null;
      runner.process.kill('SIGKILL');
    };
    site = await startSite({
      '/shop': (response) => {
        kill('/shop');
        html(response, `<button id="buy" onclick="fetch('/bought')">Buy</button>`);
      },
      '/bought': (response) => {
        kill('/bought');
        response.writeHead(204).end();
      },
    });
    bridge = await startBridgeProcess(join(folder(), 'bridge'), { QUALINET_LEASE_TTL_SECONDS: '6' });
    await pairRunner(bridge, home());
  });
  afterAll(async () => {
    await runner?.stop();
    await bridge?.program.stop();
    await site?.close();
  });

  const submit = () =>
    bridge.submit({
      ...chain(
        { id: 'open', type: 'navigate', data: { url: `${site.url}/shop` } },
        { id: 'buy', type: 'click', data: { selector: '#buy' } },
        { id: 'stay', type: 'wait', data: { ms: 100 } },
      ),
      onRedelivery: 'auto',
    });
  const bought = () => site.requests.filter((path) => path === '/bought').length;

  it('right after the click, before it told anybody, is failed and not begun again', async () => {
    deadlyPath = '/bought';
    runner = startRunnerProcess(home());
    const runId = await submit();
    const run = await bridge.over(runId, 40_000);
    expect(run).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'not_redelivered' } });
    expect(bought()).toBe(1);
  });

  it('before the click is begun again, and clicks once', async () => {
    const before = bought();
    deadlyPath = '/shop';
    runner = startRunnerProcess(home());
    const runId = await submit();
    await until(
      'the run waits again',
      async () => {
        const { status, lastEndReason } = await bridge.read(runId);
        return status === 'queued' && lastEndReason !== null;
      },
      40_000,
    );
    runner = startRunnerProcess(home());
    const run = await bridge.over(runId, 40_000);
    expect(run).toMatchObject({ status: 'passed', attempt: 2 });
    expect(bought() - before).toBe(1);
  });
});

describe('a runner that is stopped for longer than its lease, and goes on', () => {
  const folder = suiteFolder();
  let site: Site;
  let bridge: BridgeProcess;
  let runner: ChildProgram;

  beforeAll(async () => {
    site = await startSite({
      '/shop': `<button id="buy" onclick="fetch('/bought')">Buy</button>`,
      '/bought': (response) => void response.writeHead(204).end(),
    });
    bridge = await startBridgeProcess(join(folder(), 'bridge'), { QUALINET_LEASE_TTL_SECONDS: '6' });
    await pairRunner(bridge, join(folder(), 'runner'));
    runner = startRunnerProcess(join(folder(), 'runner'));
  });
  afterAll(async () => {
    await runner?.stop();
    await bridge?.program.stop();
    await site?.close();
  });

  it('does nothing more for it, says why, and may get the run anew', async () => {
    const runId = await bridge.submit(
      chain(
        { id: 'open', type: 'navigate', data: { url: `${site.url}/shop` } },
        { id: 'stay', type: 'wait', data: { ms: 3_000 } },
        { id: 'buy', type: 'click', data: { selector: '#buy' } },
      ),
    );
    await until('the page was opened', () => site.requests.includes('/shop'));
    runner.process.kill('SIGSTOP');
    await until(
      'the run waits again',
      async () => (await bridge.read(runId)).lastEndReason === 'expired',
      40_000,
    );
    expect(site.requests).toEqual(['/shop']);
    runner.process.kill('SIGCONT');
    const run = await bridge.over(runId, 40_000);
    expect(run).toMatchObject({ status: 'passed', attempt: 2 });
    expect(site.requests).toEqual(['/shop', '/shop', '/bought']);
    expect(runner.said()).toMatch(/this machine or process stood still for \d+ s/);
  });
});
