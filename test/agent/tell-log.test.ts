import { expect, it } from 'vitest';
import type { AgentEvent } from '../../src/agent/agent-event.ts';
import { tellLog } from '../../src/agent/tell-log.ts';
import { silentLog } from '../../src/lib/log.ts';
import { ManualClock } from '../support/manual-clock.ts';

it('tells of an outage of days when it begins, once an hour, and when it is over', async () => {
  const clock = new ManualClock();
  const lines: string[] = [];
  const keep = (line: string): void => void lines.push(line);
  const tell = tellLog({ ...silentLog, info: keep, warn: keep }, { isForPeople: false, clock });
  const failed = (waitMs: number): AgentEvent => ({
    type: 'disconnected',
    error: 'cannot reach https://bridge.test: connect ECONNREFUSED',
    hint: null,
    waitMs,
  });
  for (let tries = 0; tries < 2 * 86_400; tries += 30) {
    tell(failed(tries));
    await clock.advance(30_000);
  }
  expect(lines).toHaveLength(48);
  tell({ type: 'connected' });
  tell(failed(1_000));
  expect(lines.slice(48)).toEqual([
    'connected; waiting for runs',
    'cannot reach https://bridge.test: connect ECONNREFUSED; trying again in 1.0 s.',
  ]);
});
