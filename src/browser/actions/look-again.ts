import { duration } from '../../lib/duration.ts';
import { StepFailure } from '../step/step-error.ts';
import type { Scene } from './scene.ts';

/**
 * What a look gives in the end, however often the page is replaced by another meanwhile (`again`). A look spends the time of the step
 * by itself; null means that it was over before, and is thrown as StepFailure `timeout`.
 */
export async function lookAgain<T>(
  look: () => Promise<T | 'again' | null>,
  { budget, clock, halt }: Pick<Scene, 'budget' | 'clock' | 'halt'>,
): Promise<T> {
  for (;;) {
    halt.throwIfAborted();
    const seen = await look();
    if (seen === null) {
      throw new StepFailure('timeout', `the page did not answer within ${duration(budget.timeoutMs)}`);
    }
    if (seen !== 'again') return seen;
    await clock.sleep(againMs, halt);
  }
}

/** Between looks at a page that is just being replaced. */
export const againMs = 10;
