import { duration } from '../../lib/duration.ts';
import { StepFailure } from '../step/step-error.ts';
import type { Scene } from './scene.ts';

/**
 * What a look gives in the end, however often the page is replaced by another meanwhile (`again`). Throws StepFailure `timeout`
 * when the time of the step is over before.
 */
export async function lookAgain<T>(
  look: () => Promise<T | 'again'>,
  { budget, clock, halt }: Pick<Scene, 'budget' | 'clock' | 'halt'>,
): Promise<T> {
  for (;;) {
    halt.throwIfAborted();
    const seen = await budget.spend(look());
    if (seen === null) {
      throw new StepFailure('timeout', `the page did not answer within ${duration(budget.timeoutMs)}`);
    }
    if (seen !== 'again') return seen;
    await clock.sleep(againMs, halt);
  }
}

/** Between looks at a page that is just being replaced. */
export const againMs = 10;
