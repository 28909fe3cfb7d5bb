import type { ExecuteFlow } from '../agent/lease/run-lease.ts';
import { isHandBack } from '../agent/lease/run-outcome.ts';
import { executeFlow } from '../browser/execute-flow.ts';
import type { RunPage } from '../browser/run-page.ts';
import { noFiles, type RunFiles } from '../browser/step/run-files.ts';
import { BrowserEndedFailure } from '../browser/step/step-error.ts';
import type { WarmBrowser } from '../browser/warm-browser.ts';
import { systemClock } from '../lib/clock.ts';
import { RunInterruptedError } from '../lib/errors.ts';
import type { RunResult } from '../protocol/run-result.ts';

/** Longest a page is left open for the sake of a verdict that is on its way. */
const longestOpenMs = 500;
/** Time the verdict gets to reach whoever waits for it, on the same machine perhaps, once the bridge has it. */
const headStartMs = 50;

/**
 * The engine on a warm browser: the page opens at once, but nothing acts on it before the lease is ours. Throws
 * EnvironmentError when the browser cannot be started, and RunInterruptedError when it ends under the run: these are no
 * verdicts about the tested site, and the run is handed back. `files` are those of this machine that flows may use.
 */
export function engineOn(warm: Pick<WarmBrowser, 'newRun'>, files: RunFiles = noFiles): ExecuteFlow {
  return async (run, { mayAct, settled, ensureOurs, ...hooks }) => {
    let cannotStart: unknown = null;
    let opened: RunPage | null = null;
    let closing: Promise<void> = Promise.resolve();
    const newRun = (): Promise<RunPage> =>
      warm.newRun().catch((error: unknown) => {
        cannotStart = error;
        throw error;
      });
    const result = await executeFlow(run, {
      ...hooks,
      files,
      ensureMayAct: ensureOurs,
      clock: systemClock,
      async openPage() {
        const page = await newRun();
        try {
          await mayAct;
        } catch (error) {
          await page.close();
          throw error;
        }
        opened = page;
        const close = (): Promise<void> => {
          closing = closeLater(page, settled, hooks.signal);
          return closing;
        };
        return { ...page, close };
      },
    });
    // Somebody else may begin the run as soon as it is handed back: nothing of it may go on here, in the page itself neither.
    if (isHandBack(hooks.signal.reason)) await closing;
    if (cannotStart !== null) throw cannotStart;
    const reason = endOfBrowser(opened, result);
    if (reason !== null) throw new RunInterruptedError(reason);
    return result;
  };
}

/** Why the browser ended, when the run failed for that; null for every other end. */
function endOfBrowser(page: RunPage | null, { stepsResult }: RunResult): string | null {
  const reason: unknown = page?.gone.reason;
  return reason instanceof BrowserEndedFailure && stepsResult.at(-1)?.errorKind === reason.kind
    ? reason.message
    : null;
}

/**
 * Closing a context and preparing the next keeps Chromium busy for 50 ms, just while the verdict needs the processors.
 * A run that was stopped has no verdict to hurry for: its page must act no more and is closed at once.
 */
async function closeLater(page: RunPage, settled: Promise<void>, stopped: AbortSignal): Promise<void> {
  const over = new AbortController();
  const untilStopped = new Promise<void>((resolve) => {
    if (stopped.aborted) resolve();
    stopped.addEventListener('abort', () => resolve(), { once: true, signal: over.signal });
  });
  const headStart = settled.then(() => systemClock.sleep(headStartMs, over.signal));
  const longest = systemClock.sleep(longestOpenMs, over.signal);
  await Promise.race([untilStopped, headStart, longest]).finally(() => over.abort());
  await Promise.allSettled([page.close(), longest]);
}
