import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChildProgram, runToEnd } from '../../src/demo/child-program.ts';
import { type DemoSite, startDemoSite } from '../../src/demo/demo-site.ts';
import type { RunView } from '../../src/protocol/messages.ts';
import { chain } from '../support/chain.ts';
import { processExists } from '../support/processes.ts';
import { storedRows } from '../support/stored-rows.ts';
import {
  adminToken,
  type BridgeProcess,
  descendants,
  pairRunner,
  runnerEnv,
  runnerProgram,
  startFirstBridgeProcess,
  startRunnerProcess,
} from '../support/system.ts';
import { suiteFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

// One bridge process, one runner process, a site, real Chromium. The tests of a block follow one another: each takes
// the system as the one before left it, the last one ends it and looks at what is left.

describe('one runner and one bridge', () => {
  const folder = suiteFolder();
  let site: DemoSite;
  let bridge: BridgeProcess;
  let runner: ChildProgram;
  let passing: string;
  let failing: string;
  const home = (): string => join(folder(), 'runner');

  beforeAll(async () => {
    site = await startDemoSite();
    bridge = await startFirstBridgeProcess(join(folder(), 'bridge'));
    await pairRunner(bridge, home(), ['--name', 'scenario']);
    runner = startRunnerProcess(home());
  });
  afterAll(async () => {
    await runner?.stop();
    await bridge?.program.stop();
    await site?.close();
  });

  it('bring a passing run from submit to its row, with every event once and in order', async () => {
    passing = await bridge.submit({
      ...chain(
        { id: 'open', type: 'navigate', data: { url: '{{SITE}}/' } },
        { id: 'name', type: 'type', data: { selector: '#name', value: 'Ada' } },
        { id: 'go', type: 'click', data: { selector: 'button' } },
        { id: 'number', type: 'extract', data: { selector: '#order-number', variable: 'ORDER' } },
        {
          id: 'thanks',
          type: 'assertion',
          data: { selector: 'h1', value: 'Thank you, Ada: order {{ORDER}}' },
        },
      ),
      variables: { SITE: site.url },
    });
    const updates = await bridge.follow(passing);
    const steps = ['open', 'name', 'go', 'number', 'thanks'];
    expect(
      updates.map((update) => ('nodeId' in update ? `${update.type} ${update.nodeId}` : update.type)),
    ).toEqual([
      'run_start',
      ...steps.flatMap((id) => [`step_start ${id}`, `step_complete ${id}`]),
      'run_complete',
    ]);
    expect(updates.map(({ id }) => id)).toEqual(updates.map((_, index) => `1-${index}`));
    expect(updates.map(({ seq, fence, runId }) => [seq, fence, runId])).toEqual(
      updates.map((_, seq) => [seq, 1, passing]),
    );

    const row = await bridge.read(passing);
    expect(row).toMatchObject({ status: 'passed', attempt: 1, error: null });
    expect(row.stepsResult?.map(({ nodeId, status }) => [nodeId, status])).toEqual(
      steps.map((id) => [id, 'passed']),
    );
    expect(row.durationMs).toBeGreaterThan(0);
  });

  it('bring a failing run to its row, with a picture one can open', async () => {
    failing = await bridge.submit(
      chain(
        { id: 'open', type: 'navigate', data: { url: site.url } },
        { id: 'wrong', type: 'assertion', data: { selector: 'h1', value: 'Coffee', timeoutMs: 300 } },
        { id: 'never', type: 'click', data: { selector: 'button' } },
      ),
    );
    const updates = await bridge.follow(failing);
    expect(updates.at(-1)).toMatchObject({ type: 'run_complete', status: 'failed' });
    expect(updates.at(-2)).toMatchObject({ type: 'step_complete', nodeId: 'wrong', status: 'failed' });
    const { status, stepsResult } = await bridge.read(failing);
    expect(status).toBe('failed');
    expect(stepsResult).toHaveLength(2);
    const picture = await fetch(stepsResult?.[1]?.screenshotUrl ?? '');
    expect(picture.headers.get('content-type')).toBe('image/png');
    expect(
      Buffer.from(await picture.arrayBuffer())
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG');
  });

  it('give the same events again to whoever asks later, and only the rest to whoever comes back', async () => {
    const updates = await bridge.follow(passing);
    expect(updates).toHaveLength(12);
    const response = await fetch(`${bridge.url}/v1/runs/${passing}/events`, {
      headers: { authorization: `Bearer ${adminToken}`, 'last-event-id': '1-9' },
    });
    expect([...(await response.text()).matchAll(/^id: ?(.+)$/gm)].map(([, id]) => id)).toEqual([
      '1-10',
      '1-11',
    ]);
  });

  it('refuse an invalid flow when it is submitted, with all its problems', async () => {
    await expect(
      bridge.submit({ nodes: [{ id: 'a', type: 'fly' }], edges: [{ source: 'a', target: 'b' }] }),
    ).rejects.toThrow(/422.*no start node.*unknown type/s);
  });

  it('end a run with a variable nobody has as failed, and say which', async () => {
    const runId = await bridge.submit(chain({ id: 'open', type: 'navigate', data: { url: '{{NOWHERE}}' } }));
    await bridge.follow(runId);
    expect(await bridge.read(runId)).toMatchObject({
      status: 'failed',
      stepsResult: [],
      error: { code: 'flow_invalid', problems: [expect.stringContaining('NOWHERE is not set')] },
    });
  });

  it('end a run that an operator cancels, while a step hangs', async () => {
    const runId = await bridge.submit(chain({ id: 'w', type: 'wait', data: { ms: 600_000 } }));
    const followed = bridge.follow(runId, (update) => {
      if (update.type === 'step_start') void bridge.operator('POST', `/v1/runs/${runId}/cancel`);
    });
    expect((await followed).at(-1)).toMatchObject({ type: 'run_complete', status: 'cancelled' });
    expect((await bridge.read(runId)).status).toBe('cancelled');
  });

  it('tell in `qualinet status` who is paired and that it runs', async () => {
    const status = JSON.parse(
      await runToEnd(runnerProgram, ['status', '--json'], { env: runnerEnv(home()) }),
    ) as object;
    expect(JSON.stringify(status)).toContain('scenario');
    expect(JSON.stringify(status)).toContain(String(runner.process.pid));
  });

  it('keep a second runner off the same home', async () => {
    const second = startRunnerProcess(home());
    expect(await second.ended).toBe(78);
    expect(second.said()).toContain(`process ${runner.process.pid}`);
  });

  it('leave nothing when they stop: no process, no open lease, one row a run, nothing to deliver', async () => {
    const { runs } = await bridge.operator<{ runs: RunView[] }>('GET', '/v1/runs');
    expect(runs).toHaveLength(4);
    const children = await descendants(runner.process.pid ?? 0);
    expect(children.length).toBeGreaterThan(0);

    runner.process.kill('SIGTERM');
    expect(await runner.ended, runner.said()).toBe(0);
    await until('the browser is gone', () => children.every((pid) => !processExists(pid)));
    expect(await readdir(join(home(), 'spool')).catch(() => [])).toEqual([]);

    bridge.program.process.kill('SIGTERM');
    expect(await bridge.program.ended, bridge.program.said()).toBe(0);
    const left = await readdir(join(folder(), 'bridge'));
    expect(left).not.toContain('bridge.json');
    expect(left).not.toContain('lock');

    const rows = await storedRows(join(folder(), 'bridge'));
    expect(rows.runs.map(({ status }) => status).sort()).toEqual(['cancelled', 'failed', 'failed', 'passed']);
    expect(new Set(rows.runs.map(({ id }) => id)).size).toBe(4);
    expect(rows.leases.map(({ state }) => state).sort()).toEqual(['cancelled', 'done', 'done', 'done']);
  });
});
