import { counted } from '../../lib/counted.ts';
import { duration } from '../../lib/duration.ts';
import { StepFailure } from '../step/step-error.ts';
import type { TimeBudget } from '../step/time-budget.ts';
import type { ElementLook } from './look-in-page.ts';
import type { Lookalike } from './nearest-in-page.ts';

/** What is seen of a candidate that nobody looked for. */
export const absent: ElementLook = { state: 'absent', matches: 0, at: -1 };

/** The failure of a step whose page answers nothing. */
export function busy(budget: TimeBudget): StepFailure {
  return new StepFailure(
    'timeout',
    `the page did not answer within ${duration(budget.timeoutMs)}: a script keeps it busy`,
  );
}

/** The failure of a step that found nothing it could use: what became of each candidate, and what else may have been meant. */
export function notFound(
  { candidates, expected }: { candidates: readonly string[]; expected?: string | null },
  looks: readonly ElementLook[],
  { timeoutMs }: TimeBudget,
  nearest: Lookalike | null,
): StepFailure {
  const within = `within ${duration(timeoutMs)}`;
  const different = looks.findIndex(({ state }) => state === 'different');
  if (different !== -1) {
    const got = looks[different]?.detail ?? '';
    return new StepFailure(
      'assertion',
      `expected "${expected ?? ''}", got "${got}" in ${candidates[different] ?? ''} ${within}`,
    );
  }
  const lines = candidates.map((selector, index) => {
    const look = looks[index] ?? absent;
    return isThere(look)
      ? `${nameOfMatch(selector, look)} ${describe(look)}`
      : `${selector} ${describe(look)}`;
  });
  const states = new Set(looks.map(({ state }) => state));
  if (states.size === 1 && states.has('invalid')) return new StepFailure('invalid_data', lines.join('; '));
  if (nearest !== null) {
    lines.push(`nearest: ${nearest.element}${nearest.text === '' ? '' : ` "${nearest.text}"`}`);
  }
  const isAnyThere = looks.some(isThere);
  const what = isAnyThere ? 'no element was ready' : 'no element was found';
  return new StepFailure(
    isAnyThere ? 'not_actionable' : 'not_found',
    `${what} ${within}: ${lines.join('; ')}`,
  );
}

/** A selector, and which one of how many it is where it matches several. */
export function nameOfMatch(selector: string, { matches, at }: ElementLook): string {
  return matches > 1 ? `${selector} (${ordinal(at + 1)} of ${matches})` : selector;
}

/** Ids, classes, names and texts that candidates speak of. */
export function wordsOf(candidates: readonly string[]): string[] {
  const words = new Set<string>();
  for (const part of candidates.flatMap((candidate) => candidate.split('>>'))) {
    const [, kind = '', body = ''] = /^\s*(?:([\w:-]+)(?:=|\/(?!\/)))?(.*)$/s.exec(part) ?? [];
    const quotes = [...body.matchAll(/"((?:\\.|[^"\\])+)"|'((?:\\.|[^'\\])+)'/g)];
    for (const [, double, single] of quotes) words.add(double ?? single ?? '');
    if (kind === '' || kind === 'css' || kind === 'pierce') {
      for (const [, name = ''] of body.matchAll(/[#.](-?[_\p{L}][\w\p{L}-]*)/gu)) words.add(name);
    } else if (kind !== 'xpath') {
      words.add(body.replace(/\[[^\]]*\]/g, '').trim());
    }
  }
  return [...words].filter((word) => word !== '').slice(0, 20);
}

function isThere({ state }: ElementLook): boolean {
  return state === 'disabled' || state === 'readonly' || state === 'covered';
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
      return `matched ${counted(matches, 'element')}`;
  }
}

/** Why a candidate was passed over for one after it. */
export function whyPassedOver(look: ElementLook): string {
  if (look.isHidden === true) return describe({ ...look, state: 'hidden' });
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
