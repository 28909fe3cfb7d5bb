import { duration } from '../lib/duration.ts';
import type { LocateDeps } from './locate.ts';
import { isTimeout, StepFailure } from './step-error.ts';

/**
 * Opens `url` and waits until the page has loaded; the sentence for the log. An HTTP error status is no failure: what
 * the page then shows is for the flow to judge. Throws StepFailure `timeout`, or what Playwright throws.
 */
export async function openAddress(
  url: string,
  { page, budget, halt, ensureMayAct }: LocateDeps,
): Promise<string> {
  const options = () => ({ timeout: Math.max(1, budget.remainingMs()), signal: halt });
  ensureMayAct();
  try {
    const response = await page.goto(url, options());
    const status = response?.status() ?? 0;
    return `Opened ${url}${status >= 400 ? ` (${status})` : ''}`;
  } catch (error) {
    if (halt.aborted) throw error;
    if (isTimeout(error))
      throw new StepFailure('timeout', `${url} did not load within ${duration(budget.timeoutMs)}`);
    // A page that sends its visitor on by script while it loads: where that leads is the page that was opened.
    if (!(error instanceof Error && /interrupted by another navigation/.test(error.message))) throw error;
    await page.waitForLoadState('load', options());
    return `Opened ${url}, which led to ${page.url()}`;
  }
}
