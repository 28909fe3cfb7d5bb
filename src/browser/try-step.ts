import type { StepPatience } from '../flow/step-patience.ts';
import type { Clock } from '../lib/clock.ts';
import type { StepErrorKind } from '../protocol/run-result.ts';
import type { StepOutcome } from './execute-step.ts';

/** Errors that trying again cannot change, and that no soft step may pass over. */
const lastingErrors: readonly StepErrorKind[] = ['blocked', 'invalid_data', 'browser_crashed'];

/** True for a failure that another try, or the steps behind, might not meet. */
export function isPassing(outcome: StepOutcome): boolean {
  return outcome.how === 'failed' && !lastingErrors.includes(outcome.error.kind);
}

/**
 * Tries a step until it is done or its retries are used up, each time with its whole time budget. One that is done at a later
 * try says in its logs what was wrong before. `halt` ends the waits in between; the step itself then meets the reason.
 */
export async function tryStep(
  attempt: () => Promise<StepOutcome>,
  { retries, retryDelayMs }: StepPatience,
  { clock, halt }: { clock: Clock; halt: AbortSignal },
): Promise<{ outcome: StepOutcome; attempts: number }> {
  let lastError = '';
  for (let attempts = 1; ; attempts += 1) {
    const outcome = await attempt();
    if (outcome.how === 'done' && attempts > 1) {
      const { done } = outcome;
      const logs = `${done.logs} (try ${attempts}; before: ${lastError})`;
      return { outcome: { how: 'done', done: { ...done, logs } }, attempts };
    }
    if (outcome.how !== 'failed' || !isPassing(outcome) || attempts > retries || halt.aborted) {
      return { outcome, attempts };
    }
    lastError = outcome.error.message;
    if (retryDelayMs > 0) {
      await clock.sleep(retryDelayMs, halt).catch((error: unknown) => {
        if (!halt.aborted) throw error;
      });
    }
  }
}
