import type { Response } from 'playwright-core';
import { duration } from '../../lib/duration.ts';
import type { PageNetwork } from '../egress/page-network.ts';
import type { LocateDeps } from '../locating/locate.ts';
import { isTimeout, StepFailure } from '../step/step-error.ts';

/** When an address counts as opened, and what it is told of the page before. */
export interface OpenOptions {
  waitUntil?: 'load' | 'domcontentloaded' | 'networkidle' | 'commit' | undefined;
  referer?: string | undefined;
}

/**
 * Opens `url` and waits until the page has loaded; the sentence for the log. An HTTP error status is no failure: what
 * the page then shows is for the flow to judge. Throws StepFailure `timeout`, or what Playwright throws.
 */
export async function openAddress(url: string, options: OpenOptions, deps: LocateDeps): Promise<string> {
  const { page } = deps;
  const { waitUntil, referer } = options;
  let ledTo: string | null = null;
  const response = await loadAddress(
    url,
    deps,
    (within) =>
      page.goto(url, {
        ...within,
        ...(waitUntil === undefined ? {} : { waitUntil }),
        ...(referer === undefined ? {} : { referer }),
      }),
    () => {
      ledTo = page.url();
    },
  );
  if (ledTo !== null) return `Opened ${url}, which led to ${ledTo}`;
  const status = response?.status() ?? 0;
  return `Opened ${url}${status >= 400 ? ` (${status})` : ''}`;
}

/** Has the page load something within the step's time. `onLedElsewhere` hears that the page went on to another address by itself. */
export async function loadAddress(
  url: string,
  { page, network, budget, halt, ensureMayAct }: LocateDeps,
  load: (options: { timeout: number; signal: AbortSignal }) => Promise<Response | null>,
  onLedElsewhere: () => void = () => {},
): Promise<Response | null> {
  const options = () => ({ timeout: Math.max(1, budget.remainingMs()), signal: halt });
  ensureMayAct();
  try {
    return await load(options());
  } catch (error) {
    if (halt.aborted) throw error;
    if (isTimeout(error))
      throw new StepFailure('timeout', `${url} did not load within ${duration(budget.timeoutMs)}`);
    // A page that sends its visitor on by script while it loads: where that leads is the page that was opened.
    if (!(error instanceof Error && /interrupted by another navigation/.test(error.message))) {
      throw asWithoutProxy(error, network);
    }
    await page.waitForLoadState('load', options());
    onLedElsewhere();
    return null;
  }
}

/** To the browser every connection that its proxy could not make failed alike; the proxy knows what the browser would have found. */
function asWithoutProxy(error: unknown, network: PageNetwork): unknown {
  if (!(error instanceof Error)) return error;
  const [code, url] = /net::ERR_[A-Z0-9_]+ at (\S+)/.exec(error.message) ?? [];
  const netError = url === undefined ? null : network.failureOf(url);
  if (code === undefined || netError === null || !/TUNNEL|CONTENT_LENGTH/.test(code)) return error;
  error.message = error.message.replace(/net::ERR_[A-Z0-9_]+/, `net::${netError}`);
  return error;
}
