import { describe, expect, it } from 'vitest';
import type { StepOutcome } from '../../src/browser/execute-step.ts';
import { tryStep } from '../../src/browser/try-step.ts';
import { CancelledError } from '../../src/lib/errors.ts';
import type { StepErrorKind } from '../../src/protocol/run-result.ts';
import { ManualClock } from '../support/manual-clock.ts';

const failed = (kind: StepErrorKind, message: string = kind): StepOutcome => ({
  how: 'failed',
  error: { kind, message },
  notes: '',
});

/** Tries whose outcomes are these, one after the other; the last of them from then on. */
function outcomes(...all: StepOutcome[]) {
  let tries = 0;
  const attempt = async (): Promise<StepOutcome> => {
    tries += 1;
    return all[Math.min(tries, all.length) - 1] ?? failed('internal');
  };
  return { attempt, tries: () => tries };
}

const halt = () => new AbortController().signal;

describe('a step that is tried again', () => {
  it('says at which try it was done, and what was wrong at the one before', async () => {
    const { attempt } = outcomes(failed('timeout'), failed('not_found', 'nothing there'), {
      how: 'done',
      done: { logs: 'Clicked #go', branch: 'true' },
    });
    const patience = { retries: 5, retryDelayMs: 0, isSoft: false };
    expect(await tryStep(attempt, patience, { clock: new ManualClock(), halt: halt() })).toEqual({
      attempts: 3,
      outcome: {
        how: 'done',
        done: { logs: 'Clicked #go (try 3; before: nothing there)', branch: 'true' },
      },
    });
  });

  it.each<StepErrorKind>(['blocked', 'invalid_data', 'browser_crashed'])('is not so for %s', async (kind) => {
    const { attempt, tries } = outcomes(failed(kind));
    const patience = { retries: 5, retryDelayMs: 0, isSoft: false };
    await tryStep(attempt, patience, { clock: new ManualClock(), halt: halt() });
    expect(tries()).toBe(1);
  });

  it('waits in between as long as it is told to', async () => {
    const clock = new ManualClock();
    const { attempt, tries } = outcomes(failed('timeout'));
    const tried = tryStep(attempt, { retries: 1, retryDelayMs: 700, isSoft: false }, { clock, halt: halt() });
    await new Promise(setImmediate);
    expect([tries(), clock.waits]).toEqual([1, [700]]);
    await clock.advance(700);
    expect(await tried).toMatchObject({ attempts: 2, outcome: { how: 'failed' } });
  });

  it('waits no longer when the run is stopped, which the step then meets', async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    const { attempt } = outcomes(failed('timeout'), { how: 'stopped' });
    const tried = tryStep(
      attempt,
      { retries: 5, retryDelayMs: 600_000, isSoft: false },
      { clock, halt: stop.signal },
    );
    await new Promise(setImmediate);
    stop.abort(new CancelledError('enough'));
    expect(await tried).toEqual({ attempts: 2, outcome: { how: 'stopped' } });
    expect(clock.sleepers).toBe(0);
  });
});
