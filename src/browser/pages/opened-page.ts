import type { Clock } from '../../lib/clock.ts';
import { duration } from '../../lib/duration.ts';
import type { PageNetwork } from '../egress/page-network.ts';
import { StepFailure } from '../step/step-error.ts';
import type { TimeBudget } from '../step/time-budget.ts';
import type { RunPages } from './run-pages.ts';

interface OpenedPageDeps {
  pages: RunPages;
  network: PageNetwork;
  clock: Clock;
  halt: AbortSignal;
}

/**
 * Listens from now on for the page that a step opens. What it gives waits until that page is there, calls it `name`, and says so in a
 * sentence for the log; it throws StepFailure when none comes, or when the rules of the network refused its address.
 */
export function expectPage(
  name: string,
  { pages, network, clock, halt }: OpenedPageDeps,
): (budget: TimeBudget) => Promise<string> {
  const number = pages.count();
  return async (budget) => {
    for (;;) {
      halt.throwIfAborted();
      const page = pages.at(number);
      if (page !== null) {
        pages.name(page, name);
        const refused = network.refusedPage(page);
        if (refused === null) return `; it opened ${page.url()} as "${name}"`;
        const { host, why } = refused.refusal;
        throw new StepFailure('blocked', `${host} was not opened: ${why}`);
      }
      if (budget.remainingMs() === 0) {
        throw new StepFailure('timeout', `no page was opened within ${duration(budget.timeoutMs)}`);
      }
      await clock.sleep(Math.min(pollMs, budget.remainingMs()), halt);
    }
  };
}

/** How often it is looked whether the page has come. */
const pollMs = 10;
