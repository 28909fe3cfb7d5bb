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
