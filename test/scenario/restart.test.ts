import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readStatusFile } from '../../src/agent/status-file.ts';
import { type ChildProgram, runToEnd, startProgram } from '../../src/demo/child-program.ts';
import { type DemoSite, startDemoSite } from '../../src/demo/demo-site.ts';
import { chain } from '../support/chain.ts';
import { processesInGroup } from '../support/processes.ts';
import {
  type BridgeProcess,
  pairRunner,
  runnerEnv,
  runnerProgram,
  startBridgeProcess,
} from '../support/system.ts';
import { suiteFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

// One bridge, and one runner's home that process after process lives in. The tests follow one another.

describe('a runner that starts again', () => {
  const folder = suiteFolder();
  let site: DemoSite;
  let bridge: BridgeProcess;
  let runner: ChildProgram;
  let lines: string[];
  const home = (): string => join(folder(), 'runner');
  const temp = (): string => join(folder(), 'temp');
  const env = () => ({ ...runnerEnv(home()), TMPDIR: temp() });
  /** A bug that waits for a signal: loaded before the program itself. */
  const bug = `process.on('SIGUSR2', () => { throw new TypeError('this is a bug, made for a test'); })`;
  const withBug = () => ({
    ...env(),
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(bug)}`,
  });

  beforeAll(async () => {
    await mkdir(temp());
    site = await startDemoSite();
    bridge = await startBridgeProcess(join(folder(), 'bridge'));
    await pairRunner(bridge, home());
  });
  afterAll(async () => {
    await runner?.stop();
    await bridge?.program.stop();
    await site?.close();
  });

  async function begin(given: Record<string, string> = env()): Promise<void> {
    lines = [];
    const said = lines;
    runner = startProgram(runnerProgram, ['start'], { env: given, onStderr: (line) => said.push(line) });
    await until('it is connected', () => lines.some((line) => line.includes('connected')), 30_000);
  }

  async function browserPid(): Promise<number> {
    const { browsers } = JSON.parse(await readFile(join(home(), 'browsers.json'), 'utf8')) as {
      browsers: { pid: number }[];
    };
    expect(browsers).toHaveLength(1);
    return browsers[0]?.pid ?? 0;
  }

  /** A run that is in the middle of its second step. */
  async function runUnderWay(): Promise<string> {
    const runId = await bridge.submit({
      ...chain(
        { id: 'open', type: 'navigate', data: { url: site.url } },
        { id: 'wait', type: 'wait', data: { ms: 600_000 } },
      ),
      onRedelivery: 'fail',
    });
    await until('it waits', async () => {
      const status = await readStatusFile(home());
      return status?.runs.some((run) => run.runId === runId && run.nodeId === 'wait') ?? false;
    });
    return runId;
  }

  async function killRunner(): Promise<void> {
    runner.process.kill('SIGKILL');
    await runner.ended;
  }

  it('says nothing about a life before its first one', async () => {
    await begin();
    expect(lines.join('\n')).not.toContain('the last life');
    expect(await lastEndInStatus()).toBeNull();
    expect((await readdir(temp())).every((name) => /^qualinet-[0-9a-f]{16}$/.test(name))).toBe(true);
  });

  it('tells the bridge that it was killed, and ends a browser that did not notice', async () => {
    const runId = await runUnderWay();
    const browser = await browserPid();
    const [tempFolder = ''] = await readdir(temp());
    process.kill(-browser, 'SIGSTOP');
    await killRunner();
    expect((await processesInGroup(browser)).length).toBeGreaterThan(2);
    expect(await lastEndInStatus()).toMatchObject({ kind: 'killed' });

    await begin();
    expect(await processesInGroup(browser)).toEqual([]);
    expect(await readdir(temp())).not.toContain(tempFolder);
    expect(await readdir(temp())).toHaveLength(1);
    const said = lines.join('\n');
    expect(said).toMatch(/the last life of this runner: the process was killed .*last alive at/);
    expect(said).toMatch(/ended \d+ browser processes that an earlier life/);
    const run = await until('the run has failed', async () => {
      const row = await bridge.read(runId);
      return row.status === 'failed' && row;
    });
    expect(run.lastEndReason).toMatch(/^interrupted: the process was killed .*last alive at/);
    expect(await lastEndInStatus()).toMatchObject({ kind: 'killed' });
    expect(await lastEndForPeople()).toContain('before:   the process was killed');
  });

  it('cleans up after a browser that ended with its runner', async () => {
    const browser = await browserPid();
    await killRunner();
    await until('Chromium noticed', async () => (await processesInGroup(browser)).length === 0);
    expect(await readdir(temp())).toHaveLength(1);
    const before = await readdir(temp());
    await begin();
    expect(await readdir(temp())).toHaveLength(1);
    expect(await readdir(temp())).not.toEqual(before);
  });

  it('leaves nothing of a browser that was killed while it ran', async () => {
    const browser = await browserPid();
    const [tempFolder = ''] = await readdir(temp());
    process.kill(browser, 'SIGKILL');
    await until('its folders are gone', async () => (await readdir(join(temp(), tempFolder))).length === 0);
    await until('its processes are gone', async () => (await processesInGroup(browser)).length === 0);
    const runId = await runUnderWay();
    expect(await browserPid()).not.toBe(browser);
    await bridge.operator('POST', `/v1/runs/${runId}/cancel`);
    await until('it is cancelled', async () => (await bridge.read(runId)).status === 'cancelled');
  });

  it('tells the bridge the bug that it crashed with, and leaves no browser', async () => {
    await runner.stop();
    await begin(withBug());
    const runId = await runUnderWay();
    const browser = await browserPid();
    runner.process.kill('SIGUSR2');
    expect(await runner.ended).not.toBe(0);
    await begin();
    expect(await processesInGroup(browser)).toEqual([]);
    const run = await until('the run has failed', async () => {
      const row = await bridge.read(runId);
      return row.status === 'failed' && row;
    });
    expect(run.lastEndReason).toBe('interrupted: the runner crashed: this is a bug, made for a test');
  });

  it('says so when a third signal ended it at once', async () => {
    await runUnderWay();
    const browser = await browserPid();
    // A bridge that does not answer keeps the runner from handing its run back before the third signal.
    bridge.program.process.kill('SIGSTOP');
    for (const heard of ['finishing the runs', 'stopping: runs are cancelled']) {
      runner.process.kill('SIGTERM');
      await until(`it says: ${heard}`, () => lines.some((line) => line.includes(heard)));
    }
    runner.process.kill('SIGTERM');
    const code = await runner.ended;
    bridge.program.process.kill('SIGCONT');
    await begin();
    expect(lines.join('\n')).toMatch(
      /the last life of this runner: the runner was ended at once.*exit code 143/,
    );
    expect(code).toBe(143);
    expect(await processesInGroup(browser)).toEqual([]);
    expect(await readdir(temp())).toHaveLength(1);
  });

  it('leaves nothing behind when it ends in order, and says nothing about that at the next start', async () => {
    const browser = await browserPid();
    await runner.stop();
    expect(await processesInGroup(browser)).toEqual([]);
    expect(await readdir(temp())).toEqual([]);
    expect(await readdir(home())).not.toContain('browsers.json');
    expect(await lastEndInStatus()).toMatchObject({ kind: 'in_order' });
    expect(await lastEndForPeople()).not.toContain('ended');
    await begin();
    expect(lines.join('\n')).not.toContain('the last life');
  });

  async function lastEndInStatus(): Promise<unknown> {
    const text = await runToEnd(runnerProgram, ['status', '--json'], { env: env() });
    return (JSON.parse(text) as { lastEnd: unknown }).lastEnd;
  }

  function lastEndForPeople(): Promise<string> {
    return runToEnd(runnerProgram, ['status'], { env: env() });
  }
});
