import { describe, expect, it } from 'vitest';
import { ShutdownError } from '../../src/agent/lease/run-outcome.ts';
import { readStatusFile } from '../../src/agent/status-file.ts';
import type { ProblemCode } from '../../src/protocol/problem.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { fakeEngine, untilTrue } from './agent-fixture.ts';
import { agent } from './agent-scene.ts';

const signedRefusals: ProblemCode[] = ['malformed_request', 'not_allowed', 'not_found', 'body_too_large'];

describe('a runner whose polls a bridge refuses for an hour, in signed answers,', () => {
  it.each(signedRefusals)(
    'with %s goes on, without a loop, says why, and works when that is over',
    async (problem) => {
      const clock = new ManualClock();
      const { bridge, run, drain, told, home } = await agent(fakeEngine(), {}, clock);
      bridge.script('pollLeases', ...Array.from({ length: 200 }, () => ({ problem })));
      const running = run();
      running.catch(() => {});
      const failures = () => told.filter(({ type }) => type === 'disconnected');
      const beganMs = clock.monotonicMs();
      let refusals = 0;
      while (clock.monotonicMs() - beganMs < 3_600_000) {
        refusals += 1;
        await untilTrue(() => failures().length === refusals);
        const last = failures().at(-1);
        await clock.advance((last?.type === 'disconnected' ? last.waitMs : 0) + 1);
      }
      expect(refusals).toBeLessThan(135);
      expect((await readStatusFile(home))?.lastError?.message).toContain(problem);
      await untilTrue(() => failures().length === refusals + 1);
      bridge.clearScripts('pollLeases');
      bridge.queueLease();
      await clock.advance(30_001);
      await bridge.until(() => bridge.results.size === 1);
      drain.abort(new ShutdownError('drain'));
      expect(await running).toBe('drained');
    },
  );
});
