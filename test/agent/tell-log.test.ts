import { describe, expect, it } from 'vitest';
import { tellLog } from '../../src/agent/tell-log.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { keptLog } from './agent-fixture.ts';

const runId = '3f0c7c0e-3f4e-4f5b-9a43-7c9fa8f1d1c5';
const refused = {
  type: 'disconnected',
  error: 'cannot reach https://b: refused',
  hint: 'Check it.',
  waitMs: 20,
} as const;

describe('what a runner says', () => {
  it('tells of an outage of days when it begins, once an hour, and when it is over', async () => {
    const clock = new ManualClock();
    const log = keptLog();
    const tell = tellLog(log, { isForPeople: true, clock });
    for (let tries = 0; tries < 2 * 86_400; tries += 30) {
      tell({ ...refused, waitMs: tries });
      await clock.advance(30_000);
    }
    const outage = 'warn: cannot reach https://b: refused; no runs are taken until it answers. Check it.';
    expect(log.lines).toEqual(Array.from({ length: 48 }, () => outage));
    tell({ type: 'connected' });
    tell(refused);
    expect(log.lines.slice(48)).toEqual(['info: connected; waiting for runs', outage]);
  });

  it('counts the steps of a run, and says of how many only where that is known', () => {
    const log = keptLog();
    const tell = tellLog(log, { isForPeople: true, clock: new ManualClock() });
    const step = (logs: string) =>
      ({ type: 'step_complete', nodeId: 'a', status: 'passed', durationMs: 5, logs }) as const;
    const started = { type: 'run_started', runId, name: 'Buy', attempt: 1, steps: 2 } as const;
    tell({ ...started, isStraight: true });
    tell({ type: 'step', runId, event: step('Opened') });
    tell({ ...started, isStraight: false });
    for (const round of [1, 2, 3]) tell({ type: 'step', runId, event: step(`Round ${round}`) });
    expect(log.lines).toEqual([
      'info: run 3f0c7c0e "Buy": 2 steps',
      'info:   ok   1/2 Opened (5 ms)',
      'info: run 3f0c7c0e "Buy": 2 steps (with branches)',
      'info:   ok   1 Round 1 (5 ms)',
      'info:   ok   2 Round 2 (5 ms)',
      'info:   ok   3 Round 3 (5 ms)',
    ]);
  });

  it('says of a run that could not be delivered where it is kept and for how long', () => {
    const log = keptLog();
    const tell = tellLog(log, { isForPeople: true, clock: new ManualClock() });
    const why = 'no heartbeat was acknowledged for 55 s';
    tell({ type: 'run_ended', runId, end: { kind: 'kept', why, isOnDisk: true }, durationMs: 55_000 });
    expect(log.lines[0]).toContain(
      `run 3f0c7c0e not delivered yet after 55.0 s (${why}); it is kept on disk until the bridge has it`,
    );
  });
});
