import type { Clock } from '../../lib/clock.ts';
import { duration } from '../../lib/duration.ts';
import { errorText } from '../../lib/errors.ts';
import type { Pulse } from './pulse.ts';
import type { RunCounts } from './run-counts.ts';

/** The browser as health sees it. */
export interface WatchedBrowser {
  isUsable(): boolean;
  /** Has a page of its own rendered. Rejects when that cannot be done. */
  probe(): Promise<{ isColorRight: boolean }>;
}

/** Whether this runner can take runs now. */
export interface Readiness {
  /** The browser is there; null for none yet. */
  browser: WatchedBrowser | null;
  /** What stands against it, one line each; none when it is ready. */
  problems(): Promise<string[]>;
  /** Resolves when no page of this is open. */
  settled(): Promise<void>;
}

export interface ReadinessDeps {
  clock: Clock;
  pulse: Pulse;
  counts: RunCounts;
  drainSignal: AbortSignal;
}

/** A poll waits 25 s and is sent again after 30 s at most: one that was answered longer ago than this is no sign of being connected. */
const freshPollMs = 120_000;
/** A browser that failed to render is asked again after this. */
const renderAgainMs = 30_000;
const renderMs = 10_000;

/**
 * Looks at what is known, and has a page rendered once after the start and again after something went wrong: a page for every question
 * would wear the browser out.
 */
export function createReadiness({ clock, pulse, counts, drainSignal }: ReadinessDeps): Readiness {
  let last: { atMs: number; startsFailed: number; problem: string | null } | null = null;
  let rendering: Promise<string | null> | null = null;

  const readiness: Readiness = {
    browser: null,
    async problems() {
      const found = {
        runner: drainSignal.aborted ? 'it is being stopped and takes no runs' : null,
        bridge: bridgeProblem(),
        browser: await browserProblem(readiness.browser),
      };
      return Object.entries(found).flatMap(([name, text]) => (text === null ? [] : [`${name}: ${text}`]));
    },
    async settled() {
      await rendering;
    },
  };
  return readiness;

  function bridgeProblem(): string | null {
    const ageMs = pulse.pollAgeMs();
    if (counts.pollError !== null) return counts.pollError;
    if (ageMs === null) return 'no poll was answered yet';
    // With all slots taken there is nothing to ask for.
    return ageMs > freshPollMs && !pulse.isWaitingForRuns()
      ? `no poll was answered for ${duration(ageMs)}`
      : null;
  }

  async function browserProblem(browser: WatchedBrowser | null): Promise<string | null> {
    if (browser === null) return 'it is not started yet';
    if (!browser.isUsable() && counts.startsFailed > 0) return 'it could not be started for the last run';
    if (last !== null) {
      const isRecent = clock.monotonicMs() - last.atMs < renderAgainMs;
      const isGood = last.problem === null && last.startsFailed === counts.startsFailed;
      if (isRecent || isGood) return last.problem;
    }
    rendering ??= render(browser).finally(() => {
      rendering = null;
    });
    return rendering;
  }

  async function render(browser: WatchedBrowser): Promise<string | null> {
    const { startsFailed } = counts;
    const over = new AbortController();
    const tooLong = clock.sleep(renderMs, over.signal).then(
      () => `no page was rendered within ${duration(renderMs)}`,
      () => null,
    );
    const done = browser.probe().then(
      ({ isColorRight }) => (isColorRight ? null : 'a page is not painted as it should be'),
      (error: unknown) => `no page could be rendered: ${errorText(error)}`,
    );
    const problem = await Promise.race([done, tooLong]);
    over.abort();
    last = { atMs: clock.monotonicMs(), startsFailed, problem };
    return problem;
  }
}
