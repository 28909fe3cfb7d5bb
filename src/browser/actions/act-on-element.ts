import type { Locator } from 'playwright-core';
import { duration } from '../../lib/duration.ts';
import { type Found, type LocateDeps, locate } from '../locating/locate.ts';
import type { Need } from '../locating/look-in-page.ts';
import { isTimeout, plainMessage, StepFailure, stepErrorFrom } from '../step/step-error.ts';
import { untilItHadItsEffect, watchNavigation } from './watch-navigation.ts';

/** How Playwright is to act on what was found. */
export interface ActOptions {
  timeout: number;
  signal: AbortSignal;
}

/** One go at an element. */
export interface Attempt {
  found: Found;
  /** To be called right before the first thing that cannot be taken back: from then on nothing is tried again. */
  begin(): void;
  /** The same for what has been done already. */
  did(): void;
}

/** What is to be acted on, and how. */
export interface Deed {
  candidates: readonly string[];
  need: Need;
  /** What is done to it, for sentences: `clicked`. */
  was?: string;
  /** How long the deed itself lasts, once it can be done. */
  takesMs?: number;
}

/** Thrown by what acts on an element, before anything was done: the element is not ready, or no longer there. It is looked for again. */
export class NotYet extends Error {}

/**
 * Finds an element and acts on it, once. Where that fails before anything was done, because the element went away, moved
 * or was covered, it looks again, other candidates included, until the budget ends. A StepFailure that `act` throws is final.
 */
export async function actOnElement(
  { candidates, need, was = 'acted on', takesMs = 0 }: Deed,
  deps: LocateDeps,
  act: (locator: Locator, options: ActOptions, attempt: Attempt) => Promise<unknown>,
): Promise<Found> {
  const { budget, halt, page, ensureMayAct } = deps;
  const failed = new Set<string>();
  let lastProblem: StepFailure | null = null;
  for (;;) {
    const found = await locate({ candidates, need, failed }, deps).catch((error: unknown) => {
      throw lastProblem !== null && error instanceof StepFailure && !halt.aborted ? lastProblem : error;
    });
    const navigation = watchNavigation(deps);
    let hasBegun = false;
    const did = (): void => {
      hasBegun = true;
    };
    const begin = (): void => {
      ensureMayAct();
      did();
    };
    try {
      ensureMayAct();
      const slice = takesMs + (found.state === 'covered' ? coveredSliceMs : sliceMs);
      const timeout = Math.max(1, Math.min(budget.remainingMs(), slice));
      await act(found.locator, { timeout, signal: halt }, { found, begin, did });
      if (hasBegun) await untilItHadItsEffect(navigation, { label: found.label, was }, deps);
      return found;
    } catch (error) {
      if (halt.aborted || error instanceof StepFailure) throw error;
      const isDone = hasBegun || wasDone(error);
      // It closed its own page, which is what it was for.
      if (isDone && page.isClosed()) return found;
      if (isDone && isTimeout(error)) {
        await untilItHadItsEffect(navigation, { label: found.label, was }, deps);
        if (!hasBegun) return found;
      }
      const problem = problemOf(error, found.label, budget.timeoutMs);
      if (problem === null) throw error;
      if (isDone) throw problem;
      // An element that cannot be acted on at all (a text field was expected) does not get better by waiting.
      const mayCome = isTimeout(error) || error instanceof NotYet || isDetached(error);
      if (!mayCome && candidates.length === failed.size + 1) throw problem;
      failed.add(found.selector);
      if (mayCome && failed.size === candidates.length) failed.clear();
      // The last attempt may be too short to learn anything.
      if (lastProblem === null || !isTimeout(error) || reasonOf(error) !== null) lastProblem = problem;
    } finally {
      navigation.stop();
    }
  }
}

/** Longest one attempt may take before all candidates are looked at again. */
const sliceMs = 3_000;
/** The same for an element that seemed to be covered. */
const coveredSliceMs = 300;

/** True when the log of an attempt shows that the page got its click: it must not be clicked again. */
export function wasDone(error: unknown): boolean {
  const log = error instanceof Error ? error.message : '';
  const performed = Math.max(
    ...['click', 'drop'].map((name) => log.lastIndexOf(`performing ${name} action`)),
  );
  return performed !== -1 && !/intercepts pointer events|retrying \w+ action/.test(log.slice(performed));
}

/** True when the element was replaced before it was acted on. */
function isDetached(error: unknown): boolean {
  return error instanceof Error && /not attached to the DOM/.test(error.message);
}

function problemOf(error: unknown, label: string, timeoutMs: number): StepFailure | null {
  const within = `within ${duration(timeoutMs)}`;
  if (error instanceof NotYet) {
    return new StepFailure('not_actionable', `${label} could not be acted on ${within}: ${error.message}`);
  }
  const plain = stepErrorFrom(error);
  if (plain === null || plain.kind === 'browser_crashed') return null;
  if (!isTimeout(error)) return new StepFailure('not_actionable', `${label}: ${plainMessage(error)}`);
  const reason = reasonOf(error) ?? 'it was not ready to be acted on';
  return new StepFailure(
    'not_actionable',
    `${label} could not be acted on ${within}: ${reason.replace(/^element is/, 'it is')}`,
  );
}

/** What stood in the way, from Playwright's log of an attempt that timed out; null where it says nothing. */
export function reasonOf(error: unknown): string | null {
  const log = error instanceof Error ? error.message : '';
  return [...log.matchAll(reasonInLog)].at(-1)?.[1] ?? null;
}

const reasonInLog =
  / - (element is not [a-z]+|element is inert|element is outside of the viewport|<.*> intercepts pointer events)/g;
