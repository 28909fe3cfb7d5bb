import type { Frame, Locator, Page } from 'playwright-core';
import type { Clock } from '../../lib/clock.ts';
import type { PageNetwork } from '../egress/page-network.ts';
import type { StepSecrets } from '../evidence/step-secrets.ts';
import { cut, FrameGoneFailure, isBetweenDocuments, plainMessage } from '../step/step-error.ts';
import { type TimeBudget, withinMs } from '../step/time-budget.ts';
import type { ElementLook, LookRequest, Need } from './look-in-page.ts';
import type { Lookalike } from './nearest-in-page.ts';
import { absent, busy, nameOfMatch, notFound, whyPassedOver, wordsOf } from './not-found.ts';
import { type Candidate, readCandidate } from './read-candidate.ts';
import { type Sight, sightOf, sightOfJudged } from './sight.ts';

/** What a step looks for. */
export interface Wanted {
  /** Selectors in priority order, in any spelling of read-candidate.ts. */
  candidates: readonly string[];
  need: Need;
  /** The text it must have, white space folded; null where any will do. */
  expected?: string | null;
  readsText?: boolean;
  /** Candidates tried in vain before: taken only when nothing else is ready. */
  failed?: ReadonlySet<string>;
}

/** An element to act on. */
export interface Found {
  locator: Locator;
  selector: string;
  /** For logs: the selector, and which one of how many it is where it matches several. */
  label: string;
  /** `covered` only where nothing else was there for a while: Playwright is to judge. */
  state: 'ready' | 'covered';
  text: string;
  /** It is an option of a select that is closed: there is nothing to point at. */
  isOption?: true;
  /** Present when a candidate before it was passed over. */
  healed?: {
    selector: string;
    insteadOf: string;
    /** The order of selectors that would have found it first. */
    proposed: string[];
  };
  /** Why that one was passed over: `was not there`, `is no valid selector (…)`. */
  passedOver?: string;
}

export interface LocateDeps {
  page: Page;
  /** Where it is looked: the page's own frame, or one in it. */
  frame: Frame;
  network: PageNetwork;
  budget: TimeBudget;
  clock: Clock;
  /** Fires when the run is to stop or the page is gone. */
  halt: AbortSignal;
  /** Throws when the run may act no more: asked right before each call that acts on the page. */
  ensureMayAct(): void;
  /** Present when the step holds secrets. */
  secrets?: StepSecrets;
}

/**
 * Waits until a candidate matches an element that is as the step needs it. All candidates are looked at together, frame
 * by frame, within one budget. Throws StepFailure that says what each one matched: `not_found`, `not_actionable`,
 * `assertion`, `timeout` for a page that does not answer, or `invalid_data` when every selector is malformed.
 */
export async function locate(wanted: Wanted, deps: LocateDeps): Promise<Found> {
  const { frame, budget, clock, halt } = deps;
  const startedAt = clock.monotonicMs();
  const patience = patienceFor(budget.remainingMs());
  const candidates = wanted.candidates.map(readCandidate);
  const engine = new Set(candidates.filter(({ inPage }) => inPage === null));
  let looks: ElementLook[] = [];
  for (;;) {
    halt.throwIfAborted();
    if (budget.remainingMs() === 0) {
      throw notFound(wanted, looks, budget, await nearestTo(wanted, looks, deps));
    }
    const waitMs = Math.min(patience.lookMs, budget.remainingMs());
    const seen = await budget.spend(lookOnce(wanted, candidates, looks, engine, waitMs, deps));
    if (seen === null && looks.length === 0) throw busy(budget);
    if (seen === 'again' || seen === null) {
      await clock.sleep(pollMs / 2, halt);
      continue;
    }
    looks = seen;
    const elapsedMs = clock.monotonicMs() - startedAt;
    const isEnding = budget.remainingMs() < patience.attemptMs;
    const chosen = choose(wanted, looks, elapsedMs, isEnding, patience);
    if (chosen !== null) return found(wanted, candidates, looks, chosen, frame);
    if (looks.every(({ state }) => state === 'invalid')) throw notFound(wanted, looks, budget, null);
    if (engine.size > 0) await budget.spend(clock.sleep(pollMs, halt));
  }
}

/** How often selectors are looked at that the page itself cannot watch. */
const pollMs = 20;

interface Patience {
  /** A fallback is taken only after the candidates before it had this long to appear: pages are built step by step. */
  graceMs: number;
  /** A candidate that is there, but covered or disabled, is preferred to a fallback this long. */
  stuckMs: number;
  /** What is covered is tried only with this much time left: an attempt that is cut short cannot say what was in its way. */
  attemptMs: number;
  /** Longest wait inside the page; also how soon a rule of time above is noticed. */
  lookMs: number;
}

function patienceFor(remainingMs: number): Patience {
  return {
    graceMs: Math.min(200, remainingMs / 4),
    stuckMs: Math.min(1_000, remainingMs / 2),
    attemptMs: Math.min(200, remainingMs / 4),
    lookMs: 100,
  };
}

/** The candidate to take now, null to wait on. */
function choose(
  wanted: Wanted,
  looks: readonly ElementLook[],
  elapsedMs: number,
  isEnding: boolean,
  patience: Patience,
): number | null {
  let neededMs = 0;
  let lastResort: number | null = null;
  let hidden: number | null = null;
  for (const [index, look] of looks.entries()) {
    const hasFailed = wanted.failed?.has(wanted.candidates[index] ?? '') === true;
    if (look.state === 'ready' && !hasFailed && look.isHidden === true) {
      hidden ??= elapsedMs >= neededMs ? index : null;
      neededMs = Math.max(neededMs, patience.graceMs);
      continue;
    }
    if (look.state === 'ready' && !hasFailed) return elapsedMs >= neededMs ? index : null;
    // The element whose text is asked for is there: another element with that text is not it.
    if (look.state === 'different') return null;
    const isStuck =
      look.state === 'covered' || look.state === 'disabled' || look.state === 'readonly' || hasFailed;
    neededMs = Math.max(
      neededMs,
      isStuck ? patience.stuckMs : look.state === 'invalid' ? 0 : patience.graceMs,
    );
    if (look.state === 'covered' || look.state === 'ready') lastResort ??= index;
  }
  if (hidden !== null) return hidden;
  return lastResort !== null && elapsedMs >= patience.stuckMs && !isEnding ? lastResort : null;
}

function found(
  wanted: Wanted,
  candidates: readonly Candidate[],
  looks: readonly ElementLook[],
  index: number,
  frame: Frame,
): Found {
  const { written = '', playwright = '' } = candidates[index] ?? {};
  const look = looks[index] ?? { ...absent, at: 0, state: 'ready' };
  return {
    locator: frame.locator(playwright).nth(look.at),
    selector: written,
    label: nameOfMatch(written, look),
    state: look.state === 'covered' ? 'covered' : 'ready',
    text: look.detail ?? '',
    ...(look.isOption === undefined ? {} : { isOption: look.isOption }),
    ...(index === 0
      ? {}
      : { healed: healedBy(written, wanted.candidates), passedOver: whyPassedOver(looks[0] ?? absent) }),
  };
}

/** That a selector found what the first of them did not. */
export function healedBy(selector: string, candidates: readonly string[]): NonNullable<Found['healed']> {
  const [insteadOf = '', ...others] = candidates;
  return {
    selector,
    insteadOf,
    proposed: [selector, insteadOf, ...others.filter((other) => other !== selector)],
  };
}

/** One look at all candidates; `again` when the document was just being replaced by another. */
async function lookOnce(
  { need, expected = null, readsText = false }: Wanted,
  candidates: readonly Candidate[],
  known: readonly ElementLook[],
  engine: Set<Candidate>,
  waitMs: number,
  { frame, secrets }: LocateDeps,
): Promise<ElementLook[] | 'again'> {
  const ask: LookRequest = { ways: [], need, expected, readsText, known: '', waitMs: 0 };
  const looks = new Map<Candidate, ElementLook>();
  let sight = sightOf(frame);
  try {
    // What a field is found by holds no secret.
    if (secrets !== undefined && need !== 'writable') sight = await sightOfJudged(secrets.used, frame);
    const inPage = candidates.filter((candidate) => !engine.has(candidate));
    if (inPage.length > 0) {
      const isAlone = inPage.length === candidates.length && known.length > 0;
      const request: LookRequest = { ...ask, ways: inPage.map(({ inPage: way }) => way ?? []) };
      const answers = await sight.look(
        isAlone ? { ...request, known: JSON.stringify(known), waitMs } : request,
      );
      for (const [index, candidate] of inPage.entries()) {
        const look = answers[index] ?? absent;
        // Playwright's own pseudo-classes are none to the page, and only Playwright's engine says what is wrong with the rest.
        if (look.state === 'invalid') engine.add(candidate);
        else looks.set(candidate, look);
      }
    }
    const [first] = candidates;
    const isDecided = first !== undefined && looks.get(first)?.state === 'ready';
    const asked = isDecided ? [] : candidates.filter((candidate) => engine.has(candidate));
    const answers = await Promise.all(asked.map(({ playwright }) => lookByEngine(sight, playwright, ask)));
    for (const [index, candidate] of asked.entries()) {
      const look = answers[index];
      if (look !== undefined) looks.set(candidate, look);
    }
  } catch (error) {
    if (frame.isDetached()) throw new FrameGoneFailure();
    if (isBetweenDocuments(error)) return 'again';
    throw error;
  } finally {
    sight.close();
  }
  return candidates.map((candidate) => looks.get(candidate) ?? absent);
}

async function lookByEngine(sight: Sight, selector: string, request: LookRequest): Promise<ElementLook> {
  try {
    const [look = absent] = await sight.lookFor(selector, request);
    return look;
  } catch (error) {
    const message = plainMessage(error);
    if (
      !/while parsing|Unknown engine|not a valid|Malformed selector|Invalid|Unexpected|Unsupported|InjectedScript|^TypeError/i.test(
        message,
      )
    ) {
      throw error;
    }
    return { state: 'invalid', matches: 0, at: -1, detail: cut(message.split('\n')[0] ?? '', 300) };
  }
}

/** Longest that a step which has failed may take to tell what it might have meant. */
const nearestMs = 300;

/** What a person would take for the element that is not there. What holds a secret is not told to the page for that. */
async function nearestTo(
  { candidates }: Wanted,
  looks: readonly ElementLook[],
  { frame, secrets, clock, halt }: LocateDeps,
): Promise<Lookalike | null> {
  const isMissing = looks.some(({ state }) => state === 'absent');
  if (!isMissing || looks.some(({ state }) => state === 'different') || secrets !== undefined) return null;
  const request = { words: wordsOf(candidates) };
  const nearest = withinMs(sightOf(frame).nearest(request), nearestMs, clock, halt);
  return nearest.catch(() => null);
}
