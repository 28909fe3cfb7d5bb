import type { DataOf } from '../../flow/node-types/node-types.ts';
import { jsonOfPage } from '../step/page-answer.ts';
import type { FactsAsked, Reading } from './element-facts.ts';

/** A question with a yes or no, as an assertion, an `if` or a loop holds it. */
export type Check = Pick<
  DataOf<'assertion'>,
  | 'selector'
  | 'selectors'
  | 'frame'
  | 'subject'
  | 'attribute'
  | 'property'
  | 'variable'
  | 'expression'
  | 'match'
  | 'value'
  | 'negate'
>;
/** What can be looked at. */
export type Subject = NonNullable<Check['subject']>;
/** What can be looked at in a page's elements. */
export type ElementSubject = Exclude<Subject, 'title' | 'url' | 'variable' | 'expression'>;

/** What the question is about. */
export function subjectOf({ subject = 'text' }: Pick<Check, 'subject'>): Subject {
  return subject;
}

/** True for what is asked of all that the selectors match, and has an answer also where that is nothing. */
export function isOfAllMatches(subject: ElementSubject): boolean {
  return subject === 'count' || subject === 'present' || subject === 'visible';
}

/** What has to be read of the elements. */
export function factsFor(
  subject: ElementSubject,
  { attribute = '', property = '' }: Pick<Check, 'attribute' | 'property'>,
): FactsAsked {
  switch (subject) {
    case 'text':
      return { text: true };
    case 'attribute':
      return { attributes: [attribute] };
    case 'property':
      return { properties: [property] };
    default:
      return {};
  }
}

/** What a reading says of the subject; null for an attribute, a property or a selection that is not there. */
export function subjectIn(subject: ElementSubject, reading: Reading): unknown {
  const { matches, visible, first } = reading;
  switch (subject) {
    case 'count':
      return matches;
    case 'present':
      return matches > 0;
    case 'visible':
      return visible > 0;
    case 'text':
      return first?.text ?? null;
    case 'value':
      return first?.value ?? null;
    case 'attribute':
      return first?.attributes[0] ?? null;
    case 'property': {
      const json = first?.properties[0] ?? null;
      return json === null ? null : jsonOfPage(json);
    }
    case 'selected':
      return first?.selected?.join(', ') ?? null;
    case 'enabled':
      return first?.isEnabled === true;
    case 'checked':
      return first?.isChecked === true;
    case 'editable':
      return first?.isEditable === true;
    case 'focused':
      return first?.isFocused === true;
  }
}
