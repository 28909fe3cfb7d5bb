import { yesOrNoSubjects } from '../../flow/node-types/questions.ts';
import { candidatesOf } from '../../flow/step.ts';
import { duration } from '../../lib/duration.ts';
import { type Found, locate } from '../locating/locate.ts';
import { StepFailure } from '../step/step-error.ts';
import { type Comparison, comparisonWith, foldWhiteSpace } from './compare.ts';
import { againMs } from './look-again.ts';
import { lookerFor, type Seen } from './look-at-subject.ts';
import type { Scene } from './scene.ts';
import { type Check, subjectOf } from './subject.ts';
import { expectation, whatWasThere } from './tell-answer.ts';

/** What a question gave. */
export interface Answer {
  holds: boolean;
  /** What was there at last, for people; null for nothing. */
  got: string | null;
  /** The element it is about. */
  found?: Found;
  /** Why it does not hold, present exactly then: the error of a step that needs it. */
  failure?: StepFailure;
}

/**
 * Asks a question with a yes or no, and waits up to `waitMs` for a yes; once it looks in any case. What is asked about an element
 * that is not there does not hold, whichever way round. Throws StepFailure where there is no answer: `invalid_data` for a
 * question that makes no sense, `timeout` for a page that says nothing.
 */
export async function ask(check: Check, scene: Scene, { waitMs }: { waitMs: number }): Promise<Answer> {
  const { budget, clock, halt } = scene;
  const isWhole = waitMs >= budget.remainingMs();
  const comparison = comparisonOf(check);
  if (isWhole && isPlainText(check)) return askForText(check, scene);

  const endsAt = clock.monotonicMs() + waitMs;
  const look = lookerFor(check, scene, { endsAt });
  let seen: Seen | null = null;
  for (;;) {
    halt.throwIfAborted();
    const leftMs = Math.max(0, Math.min(endsAt - clock.monotonicMs(), budget.remainingMs()));
    const next: Seen | 'again' | null = await look(leftMs === 0 ? null : seen, Math.min(leftMs, lookMs));
    if (next === 'again') {
      await clock.sleep(againMs, halt);
      continue;
    }
    if (next !== null) seen = next;
    if (seen === null) {
      throw new StepFailure('timeout', `the page did not answer within ${duration(budget.timeoutMs)}`);
    }
    const { got, found, missing } = seen;
    const about = { got, ...(found === undefined ? {} : { found }) };
    if (missing === undefined && comparison(seen) !== (check.negate === true))
      return { holds: true, ...about };
    if (next === null || leftMs === 0 || seen.isFinal === true) {
      const there = seen.threw ?? whatWasThere(check, got, found?.label ?? null);
      const within = seen.isFinal === true ? '' : ` within ${duration(isWhole ? budget.timeoutMs : waitMs)}`;
      const failure = missing ?? new StepFailure('assertion', `${expectation(check)}, ${there}${within}`);
      return { holds: false, failure, ...about };
    }
  }
}

/** Longest look within the page; also how soon a rule of time is noticed. */
const lookMs = 100;

/** The commonest question, which locating answers by itself: an element that is there, but with another text, is not passed over for a fallback. */
async function askForText(check: Check, scene: Scene): Promise<Answer> {
  const expected = foldWhiteSpace(check.value ?? '');
  try {
    const found = await locate({ candidates: candidatesOf(check), need: 'present', expected }, scene);
    return { holds: true, got: expected, found };
  } catch (error) {
    if (!(error instanceof StepFailure) || !['assertion', 'not_found'].includes(error.kind)) throw error;
    return { holds: false, got: null, failure: error };
  }
}

function isPlainText(check: Check): boolean {
  return subjectOf(check) === 'text' && (check.match ?? 'exact') === 'exact' && check.negate !== true;
}

/** How what was seen is judged, before it is turned round. */
function comparisonOf(check: Check): (seen: Seen) => boolean {
  const { value, match = 'exact' } = check;
  const subject = subjectOf(check);
  if (subject === 'expression' && value === undefined) return ({ isTrue }) => isTrue === true;
  const wanted = value ?? 'true';
  if (subject !== 'expression' && yesOrNoSubjects.includes(subject) && !/^\s*(true|false)\s*$/.test(wanted)) {
    throw new StepFailure('invalid_data', `value: must be true or false, as ${subject} is`);
  }
  const compare: Comparison = comparisonWith(wanted, match);
  return ({ got, shown }) => compare(got) || (shown !== undefined && compare(shown));
}
