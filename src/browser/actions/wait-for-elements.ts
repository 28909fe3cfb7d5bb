import type { DataOf } from '../../flow/node-types/node-types.ts';
import { candidatesOf } from '../../flow/step.ts';
import { counted } from '../../lib/counted.ts';
import { healedBy } from '../locating/locate.ts';
import { jsonOfPage } from '../step/page-answer.ts';
import { cut } from '../step/step-error.ts';
import { comparisonWith, foldWhiteSpace } from './compare.ts';
import type { ElementFacts, FactsAsked, Reading } from './element-facts.ts';
import { readElements } from './read-elements.ts';
import type { Scene } from './scene.ts';
import type { Condition, Unmet } from './wait-for.ts';

type State = NonNullable<DataOf<'waitFor'>['state']>;

/**
 * Elements that are waited for: how many there are that have the state, properties, attributes and text, at least one where no number is
 * given. Of several selectors the first counts that matches anything.
 */
export function elementsHaving(data: DataOf<'waitFor'>, scene: Scene): Condition {
  const candidates = candidatesOf(data);
  const { attributes = {}, properties = {}, text, match = 'exact', count, operator = '>=' } = data;
  const isBare = [data.attributes, data.properties, text, count].every((field) => field === undefined);
  const state = data.state ?? (isBare ? 'visible' : undefined);
  const hasText = text === undefined ? null : comparisonWith(text, match);
  const isAway = state === 'hidden' || state === 'detached';
  const graceMs = Math.min(200, scene.budget.timeoutMs / 4);
  const asked: FactsAsked = {
    text: hasText !== null,
    box: state === 'stable',
    attributes: Object.keys(attributes),
    properties: Object.keys(properties),
    ofAll: true,
  };

  /** As it is to be, apart from its state. */
  function isMeant(facts: ElementFacts): boolean {
    return (
      (hasText === null || hasText(facts.text) || hasText(facts.shownText ?? null)) &&
      Object.values(attributes).every((wanted, at) => isSameText(facts.attributes[at] ?? null, wanted)) &&
      Object.values(properties).every((wanted, at) => {
        const json = facts.properties[at] ?? null;
        return json !== null && isLike(jsonOfPage(json), wanted);
      })
    );
  }

  return {
    look: (known, waitMs) =>
      readElements(candidates, asked, scene, { known: known as Reading[] | null, waitMs }),
    found(read) {
      const readings = read as Reading[];
      const at = chosen(readings);
      const label = candidates[at] ?? '';
      const isAny = (readings[at]?.matches ?? 0) > 0;
      if (at === 0 || !isAny || isAway) return { label: candidates[0] ?? '' };
      const isThere = (readings[0]?.matches ?? 0) > 0;
      const passedOver = isThere ? 'was hidden' : 'was not there';
      return { label, healed: healedBy(label, candidates), passedOver };
    },
    unmet(read, elapsedMs): Unmet | null {
      const readings = read as Reading[];
      const at = chosen(readings);
      // Pages are built step by step: what stands before it in the order may be about to come.
      if (at > 0 && !isAway && data.negate !== true && elapsedMs < graceMs) {
        return { kind: 'not_found', what: `${candidates[0]} matched nothing` };
      }
      const { matches, visible, all } = readings[at] ?? { matches: 0, visible: 0, all: [] };
      const label = candidates[at] ?? '';
      const meant = all.filter(isMeant);
      if (isAway) {
        const left = readings
          .flatMap((each) => each.all)
          .filter((facts) => isMeant(facts) && (state === 'detached' || facts.isVisible)).length;
        if (left === 0) return null;
        return { kind: 'timeout', what: `${label} was still ${state === 'hidden' ? 'to be seen' : 'there'}` };
      }
      // Copies that nobody sees say nothing of the state of those that are seen.
      const isSeen = meant.some(({ isVisible }) => isVisible);
      const counted = meant.filter(
        (facts) =>
          (facts.isVisible || !isSeen || state === undefined || state === 'attached') && isIn(state, facts),
      );
      const isBounded = matches > all.length && isBare && (state === undefined || state === 'attached');
      const there = isBounded ? matches : counted.length;
      if (isCount(there, operator, count ?? 1)) return null;
      if (matches === 0) return { kind: 'not_found', what: `${candidates.join(', ')} matched nothing` };
      return { kind: 'timeout', what: problem({ label, matches, visible, meant, there, all }) };
    },
  };

  function problem({
    label,
    matches,
    visible,
    meant,
    there,
    all,
  }: {
    label: string;
    matches: number;
    visible: number;
    meant: readonly ElementFacts[];
    there: number;
    all: readonly ElementFacts[];
  }): string {
    const elements = counted(matches, 'element');
    const [first] = all;
    if (count !== undefined) {
      const wanted = `${operator === '==' ? '' : operator === '>=' ? 'at least ' : 'at most '}${count}`;
      return `${label} matched ${elements}, ${there} as expected instead of ${wanted}`;
    }
    if (meant.length > 0) {
      const how = state === 'visible' || visible === 0 ? 'hidden' : `not ${state ?? 'there'}`;
      return `${label} matched ${elements}, but ${matches === 1 ? 'it was' : 'they were'} ${how}`;
    }
    if (text !== undefined && first !== undefined) {
      return `expected the text "${foldWhiteSpace(text)}", got "${cut(foldWhiteSpace(first.text), 4_000)}" in ${label}`;
    }
    const names = [...Object.keys(attributes), ...Object.keys(properties)];
    const values = [...(first?.attributes ?? []), ...(first?.properties ?? [])];
    const was = names.map((name, at) => `${name} ${cut(JSON.stringify(values[at] ?? null), 300)}`).join(', ');
    return `${label} matched ${elements}, not one as expected; the first has ${was}`;
  }

  function chosen(readings: readonly Reading[]): number {
    const seen = readings.findIndex(({ visible }) => visible > 0);
    const any = readings.findIndex(({ matches }) => matches > 0);
    return Math.max(0, state === undefined || state === 'attached' || seen === -1 ? any : seen);
  }
}

function isIn(state: State | undefined, facts: ElementFacts): boolean {
  switch (state) {
    case undefined:
    case 'attached':
    case 'hidden':
    case 'detached':
      return true;
    case 'visible':
      return facts.isVisible;
    case 'enabled':
      return facts.isEnabled;
    case 'disabled':
      return !facts.isEnabled;
    case 'editable':
      return facts.isEditable;
    case 'readonly':
      return !facts.isEditable;
    case 'checked':
      return facts.isChecked;
    case 'unchecked':
      return !facts.isChecked;
    case 'stable':
      return facts.isVisible && facts.isStable;
  }
}

function isCount(there: number, operator: '>=' | '==' | '<=', wanted: number): boolean {
  if (operator === '==') return there === wanted;
  return operator === '>=' ? there >= wanted : there <= wanted;
}

function isSameText(got: string | null, wanted: string): boolean {
  return got !== null && foldWhiteSpace(got) === foldWhiteSpace(wanted);
}

/** True when `got` has all that `wanted` names, however deep; numbers and truths may be wanted as texts, as forms give them. */
function isLike(got: unknown, wanted: unknown): boolean {
  if (typeof wanted === 'string') {
    return typeof got === 'object' ? false : isSameText(String(got), wanted);
  }
  if (typeof wanted !== 'object' || wanted === null) return got === wanted;
  if (typeof got !== 'object' || got === null) return false;
  if (Array.isArray(wanted) && (!Array.isArray(got) || got.length !== wanted.length)) return false;
  return Object.entries(wanted).every(
    ([name, value]) => Object.hasOwn(got, name) && isLike(Reflect.get(got, name), value),
  );
}
