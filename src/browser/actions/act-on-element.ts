import type { Frame, Locator, Page, Request } from 'playwright-core';
import { duration } from '../../lib/duration.ts';
import { type Found, type LocateDeps, locate } from '../locating/locate.ts';
import type { Need } from '../locating/look-in-page.ts';
import { isTimeout, plainMessage, StepFailure, stepErrorFrom } from '../step/step-error.ts';

/** How Playwright is to act on what was found. */
export interface ActOptions {
  timeout: number;
  signal: AbortSignal;
}

/**
 * Finds an element and lets Playwright act on it, once. Where that fails before anything was done, because the element
 * went away, moved or was covered, it looks again, other candidates included, until the budget ends.
 */
export async function actOnElement(
  { candidates, need }: { candidates: readonly string[]; need: Need },
  deps: LocateDeps,
  act: (locator: Locator, options: ActOptions) => Promise<void>,
): Promise<Found> {
  const { budget, halt, page, ensureMayAct } = deps;
  const failed = new Set<string>();
  let lastProblem: StepFailure | null = null;
  for (;;) {
    const found = await locate({ candidates, need, failed }, deps).catch((error: unknown) => {
      throw lastProblem !== null && error instanceof StepFailure && !halt.aborted ? lastProblem : error;
    });
    const navigation = need === 'clickable' ? watchNavigation(page) : null;
    try {
      ensureMayAct();
      const slice = found.state === 'covered' ? coveredSliceMs : sliceMs;
      await act(found.locator, { timeout: Math.max(1, Math.min(budget.remainingMs(), slice)), signal: halt });
      return found;
    } catch (error) {
      if (halt.aborted || isBlocked(error)) throw error;
      if (navigation !== null && isTimeout(error) && wasDone(error)) {
        await untilItHadItsEffect(navigation, found.label, deps);
        return found;
      }
      const problem = problemOf(error, found.label, budget.timeoutMs);
      if (problem === null) throw error;
      // An element that cannot be acted on at all (a text field was expected) does not get better by waiting.
      if (!isTimeout(error) && candidates.length === failed.size + 1) throw problem;
      failed.add(found.selector);
      if (isTimeout(error) && failed.size === candidates.length) failed.clear();
      lastProblem = problem;
    } finally {
      navigation?.stop();
    }
  }
}

/** Longest one attempt may take before all candidates are looked at again. */
const sliceMs = 3_000;
/** The same for an element that seemed to be covered. */
const coveredSliceMs = 300;

/** What this machine's rules forbid stays forbidden, whatever else is found. */
function isBlocked(error: unknown): boolean {
  return error instanceof StepFailure && error.kind === 'blocked';
}

/** True when the log of an attempt that timed out shows that the page got the click: it must not be clicked again. */
function wasDone(error: unknown): boolean {
  const log = error instanceof Error ? error.message : '';
  const performed = log.lastIndexOf('performing click action');
  return performed !== -1 && !/intercepts pointer events|retrying click/.test(log.slice(performed));
}

function problemOf(error: unknown, label: string, timeoutMs: number): StepFailure | null {
  const plain = stepErrorFrom(error);
  if (plain === null || plain.kind === 'browser_crashed') return null;
  if (!isTimeout(error)) return new StepFailure('not_actionable', `${label}: ${plainMessage(error)}`);
  const reasons = [...String(error instanceof Error ? error.message : '').matchAll(reasonInLog)];
  const reason = reasons.at(-1)?.[1] ?? 'it was not ready to be acted on';
  return new StepFailure(
    'not_actionable',
    `${label} could not be acted on within ${duration(timeoutMs)}: ${reason.replace(/^element is/, 'it is')}`,
  );
}

const reasonInLog =
  / - (element is not [a-z]+|element is inert|element is outside of the viewport|<.*> intercepts pointer events)/g;

/** After a click that took longer than an attempt: the page it leads to is there, or the page answers again. */
async function untilItHadItsEffect(
  navigation: Navigation,
  label: string,
  { page, budget }: LocateDeps,
): Promise<void> {
  const effect = navigation.isUnderWay() ? navigation.committed : page.evaluate(() => true);
  if ((await budget.spend(effect)) !== null) return;
  const within = `within ${duration(budget.timeoutMs)}`;
  throw navigation.isUnderWay()
    ? new StepFailure('navigation', `${label} was clicked, but the page it leads to did not answer ${within}`)
    : new StepFailure('timeout', `${label} was clicked, and then the page did not answer ${within}`);
}

/** Navigations of the main frame from now on. */
interface Navigation {
  /** A document was asked for and has not come yet. */
  isUnderWay(): boolean;
  /** Resolves when the next document is there. */
  committed: Promise<true>;
  stop(): void;
}

function watchNavigation(page: Page): Navigation {
  let isAsked = false;
  let onCommit: (frame: Frame) => void = () => {};
  const committed = new Promise<true>((resolve) => {
    onCommit = (frame) => {
      if (frame !== page.mainFrame()) return;
      isAsked = false;
      resolve(true);
    };
  });
  const onRequest = (request: Request): void => {
    if (request.isNavigationRequest() && frameOf(request) === page.mainFrame()) isAsked = true;
  };
  page.on('framenavigated', onCommit);
  page.on('request', onRequest);
  return {
    isUnderWay: () => isAsked,
    committed,
    stop() {
      page.off('framenavigated', onCommit);
      page.off('request', onRequest);
    },
  };
}

/** Null where the frame is not there yet, which is so for frames inside the page only. */
function frameOf(request: Request): Frame | null {
  try {
    return request.frame();
  } catch {
    return null;
  }
}
