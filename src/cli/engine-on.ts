import type { ExecuteFlow } from '../agent/run-lease.ts';
import { executeFlow } from '../browser/execute-flow.ts';
import type { RunPage } from '../browser/run-page.ts';
import type { WarmBrowser } from '../browser/warm-browser.ts';
import { systemClock } from '../lib/clock.ts';

/** Longest a page is left open for the sake of a verdict that is on its way. */
const closeLaterMs = 500;

/**
 * The engine on a warm browser: the page opens at once, but nothing acts on it before the lease is ours. Throws
 * EnvironmentError when the browser cannot be started: that is no verdict about the tested site, and the run is handed back.
 */
export function engineOn(warm: Pick<WarmBrowser, 'newRun'>): ExecuteFlow {
  return async (run, { mayAct, settled, ...hooks }) => {
    let cannotStart: unknown = null;
    const newRun = (): Promise<RunPage> =>
      warm.newRun().catch((error: unknown) => {
        cannotStart = error;
        throw error;
      });
    const result = await executeFlow(run, {
      ...hooks,
      clock: systemClock,
      async openPage() {
        const page = await newRun();
        try {
          await mayAct;
        } catch (error) {
          await page.close();
          throw error;
        }
        return { ...page, close: () => closeLater(page, settled) };
      },
    });
    if (cannotStart !== null) throw cannotStart;
    return result;
  };
}

/** Closing a context keeps Chromium busy for 20 to 40 ms, just while the verdict needs the processors. */
async function closeLater(page: RunPage, settled: Promise<void>): Promise<void> {
  const over = new AbortController();
  await Promise.race([settled, systemClock.sleep(closeLaterMs, over.signal).catch(() => {})]);
  over.abort();
  await page.close();
}
