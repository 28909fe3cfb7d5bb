import type { Frame } from 'playwright-core';
import { textOfValue } from '../../flow/run-variables.ts';
import { candidatesOf } from '../../flow/step.ts';
import { type Found, locate } from '../locating/locate.ts';
import { jsonOfPage } from '../step/page-answer.ts';
import { FrameGoneFailure, isBetweenDocuments, StepFailure } from '../step/step-error.ts';
import type { Reading } from './element-facts.ts';
import { type Evaluated, evaluateInPage } from './page-expression.ts';
import { pageFacts } from './page-facts.ts';
import { readElements } from './read-elements.ts';
import type { Scene } from './scene.ts';
import {
  type Check,
  type ElementSubject,
  factsFor,
  isOfAllMatches,
  subjectIn,
  subjectOf,
} from './subject.ts';

/** One look at the subject of a question. */
export interface Seen {
  /** As a text; null for what is not there. */
  got: string | null;
  /** A text as people see it, where that is another one than the document has. */
  shown?: string;
  /** What an expression gave counts as true. */
  isTrue?: boolean;
  /** What an expression threw. */
  threw?: string;
  found?: Found;
  /** Why there is nothing to look at. */
  missing?: StepFailure;
  /** It will not change. */
  isFinal?: boolean;
  /** What it was read from: the next look waits until that changes. */
  readonly read: unknown;
}

/**
 * Looks at once where nothing is known, or waits up to `waitMs` for something else, within the time of the step. `again`: the page was
 * just being replaced; null: it gave no answer.
 */
export type Looker = (known: Seen | null, waitMs: number) => Promise<Seen | 'again' | null>;

/** How the subject of a question is looked at. An element is waited for until `endsAt`, in ms of the clock. */
export function lookerFor(check: Check, scene: Scene, { endsAt }: { endsAt: number }): Looker {
  const subject = subjectOf(check);
  const { spend } = scene.budget;
  switch (subject) {
    case 'variable':
      return () => Promise.resolve(variableIn(check.variable ?? '', scene));
    case 'expression':
      return (known, waitMs) => spend(lookAtExpression(check, scene, known, waitMs));
    case 'title':
    case 'url':
      return (known, waitMs) => spend(lookAtPage(subject, frameOf(check, scene), known, waitMs));
    default:
      return isOfAllMatches(subject)
        ? (known, waitMs) => spend(lookAtMatches(subject, check, scene, known, waitMs))
        : lookAtElement(subject, check, scene, endsAt);
  }
}

function variableIn(name: string, { variables }: Scene): Seen {
  const values = variables.values();
  const value = Object.hasOwn(values, name) ? values[name] : null;
  return { got: textOf(value), read: null, isFinal: true };
}

async function lookAtExpression(
  { expression = '', value: wanted }: Check,
  scene: Scene,
  known: Seen | null,
  waitMs: number,
): Promise<Seen | 'again'> {
  const before = known === null ? null : (known.read as Evaluated);
  const evaluated = await evaluateInPage(expression, scene, {
    known: before,
    waitMs,
    needsValue: wanted !== undefined,
  });
  if (evaluated === 'again') return 'again';
  if ('threw' in evaluated) return { got: null, threw: evaluated.threw, read: evaluated };
  const value = evaluated.json === null ? null : jsonOfPage(evaluated.json);
  return { got: textOf(value), isTrue: evaluated.isTrue, read: evaluated };
}

async function lookAtPage(
  subject: 'title' | 'url',
  frame: Frame,
  known: Seen | null,
  waitMs: number,
): Promise<Seen | 'again'> {
  try {
    const facts = await pageFacts(frame, known?.read ?? null, waitMs);
    return { got: facts[subject], read: facts };
  } catch (error) {
    if (frame.isDetached()) throw new FrameGoneFailure();
    if (isBetweenDocuments(error)) return 'again';
    throw error;
  }
}

/** Title and address are those of the page, unless the step itself names a frame in it. */
export function frameOf({ frame }: Pick<Check, 'frame'>, scene: Pick<Scene, 'page' | 'frame'>): Frame {
  return frame === undefined ? scene.page.mainFrame() : scene.frame;
}

/** What all that the selectors match gives: of the first one that matches anything. */
async function lookAtMatches(
  subject: ElementSubject,
  check: Check,
  scene: Scene,
  known: Seen | null,
  waitMs: number,
): Promise<Seen | 'again'> {
  const before = known === null ? null : (known.read as Reading[]);
  const readings = await readElements(candidatesOf(check), {}, scene, { known: before, waitMs });
  if (readings === 'again') return 'again';
  const isLike = subject === 'visible' ? isVisibleIn : isAnyIn;
  const reading = readings.find(isLike) ?? readings[0];
  return { got: reading === undefined ? null : textOf(subjectIn(subject, reading)), read: readings };
}

function isVisibleIn({ visible }: Reading): boolean {
  return visible > 0;
}

function isAnyIn({ matches }: Reading): boolean {
  return matches > 0;
}

/** Finds the element as every step does, and looks at it until it goes away: then it is looked for again. */
function lookAtElement(subject: ElementSubject, check: Check, scene: Scene, endsAt: number): Looker {
  const { budget, clock } = scene;
  const candidates = candidatesOf(check);
  const asked = factsFor(subject, check);
  let found: Found | null = null;
  let foundAt = 0;
  const find = async (): Promise<Found> => {
    found = await locate({ candidates, need: 'present' }, scene);
    foundAt = clock.monotonicMs();
    return found;
  };
  return async (known, waitMs) => {
    const isEndBefore = endsAt < clock.monotonicMs() + budget.remainingMs();
    // Locating takes all the time that the step has; a question that has less of it finds out first whether there is anything.
    if (found === null && isEndBefore) {
      const any = await budget.spend(readElements(candidates, {}, scene, { known: null, waitMs: 0 }));
      if (any === 'again' || any === null) return any;
      if (!any.some(isAnyIn)) {
        if (waitMs > 0) await budget.spend(readElements(candidates, {}, scene, { known: any, waitMs }));
        return { got: null, read: null, missing: missing(candidates) };
      }
    }
    // One that stands before it in the order, or is the first to be seen, may have come meanwhile.
    const isOld = found !== null && clock.monotonicMs() - foundAt > 200 && !isEndBefore;
    const here: Found = found === null || isOld ? await find() : found;
    const before = known === null || isOld ? null : (known.read as Reading[] | null);
    const readings = await budget.spend(
      readElements([here.selector], asked, scene, { known: before, waitMs }),
    );
    if (readings === 'again' || readings === null) return readings;
    const [reading] = readings;
    if (reading === undefined || reading.matches === 0) {
      found = null;
      return 'again';
    }
    const shown = subject === 'text' ? reading.first?.shownText : undefined;
    return {
      got: textOf(subjectIn(subject, reading)),
      ...(shown === undefined ? {} : { shown }),
      found: here,
      read: readings,
    };
  };
}

function missing(candidates: readonly string[]): StepFailure {
  return new StepFailure('not_found', `no element is there: ${candidates.join(', ')} matched nothing`);
}

function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : textOfValue(value);
}
