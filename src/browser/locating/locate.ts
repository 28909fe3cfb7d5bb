import type { Frame, Locator, Page } from 'playwright-core';
import type { Clock } from '../../lib/clock.ts';
import { duration } from '../../lib/duration.ts';
import type { PageNetwork } from '../egress/page-network.ts';
import type { StepSecrets } from '../evidence/step-secrets.ts';
import { cut, isBetweenDocuments, plainMessage, StepFailure } from '../step/step-error.ts';
import type { TimeBudget } from '../step/time-budget.ts';
import type { ElementLook, LookRequest, Need } from './look-in-page.ts';
import { type Sight, sightOf, sightOfJudged } from './sight.ts';

/** What a step looks for. */
export interface Wanted {
  /** Selectors in priority order: CSS, or anything Playwright understands. */
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
  healed?: { selector: string; insteadOf: string };
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
  const { page, budget, clock, halt } = deps;
  const startedAt = clock.monotonicMs();
  const patience = patienceFor(budget.remainingMs());
  const engine = new Set(wanted.candidates.filter((selector) => isForEngine.test(selector)));
  let looks: ElementLook[] = [];
  for (;;) {
    halt.throwIfAborted();
    if (budget.remainingMs() === 0) throw notFound(wanted, looks, budget);
    const waitMs = Math.min(patience.lookMs, budget.remainingMs());
    const seen = await budget.spend(lookOnce(wanted, looks, engine, waitMs, deps));
    if (seen === null && looks.length === 0) throw busy(budget);
    if (seen === 'again' || seen === null) {
      await clock.sleep(pollMs / 2, halt);
      continue;
    }
    looks = seen;
    const elapsedMs = clock.monotonicMs() - startedAt;
    const chosen = choose(wanted, looks, elapsedMs, patience);
    if (chosen !== null) return found(wanted, looks, chosen, page);
    if (looks.every(({ state }) => state === 'invalid')) throw notFound(wanted, looks, budget);
    if (engine.size > 0) await budget.spend(clock.sleep(pollMs, halt));
  }
}

/** How often selectors are looked at that the page itself cannot watch. */
const pollMs = 20;

/** Selectors that are certainly not CSS: engines (`text=`), XPath, quoted texts and chains. The page tells of the rest. */
const isForEngine = /^(?:[\w:*+-]+=|\/\/|\.\.|\(+\/\/|["'])|>>/;

interface Patience {
  /** A fallback is taken only after the candidates before it had this long to appear: pages are built step by step. */
  graceMs: number;
  /** A candidate that is there, but covered or disabled, is preferred to a fallback this long. */
  stuckMs: number;
  /** Longest wait inside the page; also how soon a rule of time above is noticed. */
  lookMs: number;
}

function patienceFor(remainingMs: number): Patience {
  return {
    graceMs: Math.min(200, remainingMs / 4),
    stuckMs: Math.min(1_000, remainingMs / 2),
    lookMs: 100,
  };
}

/** The candidate to take now, null to wait on. */
function choose(
  wanted: Wanted,
  looks: readonly ElementLook[],
  elapsedMs: number,
  patience: Patience,
): number | null {
  let neededMs = 0;
  let lastResort: number | null = null;
  for (const [index, look] of looks.entries()) {
    const hasFailed = wanted.failed?.has(wanted.candidates[index] ?? '') === true;
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
  return lastResort !== null && elapsedMs >= patience.stuckMs ? lastResort : null;
}

function found(wanted: Wanted, looks: readonly ElementLook[], index: number, page: Page): Found {
  const selector = wanted.candidates[index] ?? '';
  const { matches, at, state, detail = '', isOption } = looks[index] ?? absent;
  const first = wanted.candidates[0] ?? '';
  return {
    locator: page.locator(selector).nth(at),
    selector,
    label: matches > 1 ? `${selector} (${ordinal(at + 1)} of ${matches})` : selector,
    state: state === 'covered' ? 'covered' : 'ready',
    text: detail,
    ...(isOption === undefined ? {} : { isOption }),
    ...(index === 0
      ? {}
      : { healed: { selector, insteadOf: first }, passedOver: whyPassedOver(looks[0] ?? absent) }),
  };
}

/** One look at all candidates; `again` when the page was just being replaced by another. */
async function lookOnce(
  { candidates, need, expected = null, readsText = false }: Wanted,
  known: readonly ElementLook[],
  engine: Set<string>,
  waitMs: number,
  { page, secrets }: LocateDeps,
): Promise<ElementLook[] | 'again'> {
  const ask = { need, expected, readsText, known: '', waitMs: 0 };
  const looks = new Map<string, ElementLook>();
  let sight = sightOf(page);
  try {
    // What a field is found by holds no secret.
    if (secrets !== undefined && need !== 'writable') sight = await sightOfJudged(secrets.used, page);
    const inPage = candidates.filter((selector) => !engine.has(selector));
    if (inPage.length > 0) {
      const isAlone = inPage.length === candidates.length && known.length > 0;
      const request: LookRequest = { ...ask, selectors: inPage };
      const answer = await sight.look(
        isAlone ? { ...request, known: JSON.stringify(known), waitMs } : request,
      );
      for (const [index, selector] of inPage.entries()) {
        const look = answer.looks[index];
        if (answer.needsEngine || look?.state === 'invalid') engine.add(selector);
        else if (look !== undefined) looks.set(selector, look);
      }
    }
    const isDecided = looks.get(candidates[0] ?? '')?.state === 'ready';
    const asked = isDecided ? [] : candidates.filter((selector) => engine.has(selector));
    const answers = await Promise.all(
      asked.map((selector) => lookByEngine(sight, selector, { ...ask, selectors: [] })),
    );
    for (const [index, selector] of asked.entries()) {
      const look = answers[index];
      if (look !== undefined) looks.set(selector, look);
    }
  } catch (error) {
    if (isBetweenDocuments(error)) return 'again';
    throw error;
  } finally {
    sight.close();
  }
  return candidates.map((selector) => looks.get(selector) ?? absent);
}

const absent: ElementLook = { state: 'absent', matches: 0, at: -1 };

async function lookByEngine(sight: Sight, selector: string, request: LookRequest): Promise<ElementLook> {
  try {
    const { looks } = await sight.lookFor(selector, request);
    return looks[0] ?? absent;
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

function busy(budget: TimeBudget): StepFailure {
  return new StepFailure(
    'timeout',
    `the page did not answer within ${duration(budget.timeoutMs)}: a script keeps it busy`,
  );
}

function notFound(wanted: Wanted, looks: readonly ElementLook[], { timeoutMs }: TimeBudget): StepFailure {
  const within = `within ${duration(timeoutMs)}`;
  const different = looks.findIndex(({ state }) => state === 'different');
  if (different !== -1) {
    const got = looks[different]?.detail ?? '';
    return new StepFailure(
      'assertion',
      `expected "${wanted.expected ?? ''}", got "${got}" in ${wanted.candidates[different] ?? ''} ${within}`,
    );
  }
  const lines = wanted.candidates.map((selector, index) => `${selector} ${describe(looks[index] ?? absent)}`);
  const states = new Set(looks.map(({ state }) => state));
  if (states.size === 1 && states.has('invalid')) return new StepFailure('invalid_data', lines.join('; '));
  const isThere = looks.some(
    ({ state }) => state === 'disabled' || state === 'readonly' || state === 'covered',
  );
  const what = isThere ? 'no element was ready' : 'no element was found';
  return new StepFailure(isThere ? 'not_actionable' : 'not_found', `${what} ${within}: ${lines.join('; ')}`);
}

function describe({ state, matches, detail }: ElementLook): string {
  switch (state) {
    case 'absent':
      return 'matched nothing';
    case 'hidden':
      return matches === 1 ? 'matched 1 element, which is hidden' : `matched ${matches} elements, all hidden`;
    case 'disabled':
      return 'is disabled';
    case 'readonly':
      return 'is read-only';
    case 'covered':
      return `is covered by ${detail ?? 'another element'}`;
    case 'invalid':
      return `is no valid selector (${detail ?? 'it cannot be parsed'})`;
    case 'different':
    case 'ready':
      return `matched ${matches} element${matches === 1 ? '' : 's'}`;
  }
}

function whyPassedOver(look: ElementLook): string {
  return look.state === 'absent' ? 'was not there' : describe(look);
}

function ordinal(position: number): string {
  return position === 1
    ? 'first'
    : position === 2
      ? 'second'
      : position === 3
        ? 'third'
        : `number ${position}`;
}
