import { candidatesOf } from '../../flow/step.ts';
import { cut } from '../step/step-error.ts';
import { foldWhiteSpace, type Match, numberIn } from './compare.ts';
import { type Check, subjectOf } from './subject.ts';

/** What a question says of its subject, without the element: `the value to contain "x"`. */
export function expectation(check: Check): string {
  const { match = 'exact', negate = false, value } = check;
  const subject = subjectOf(check);
  const yes = yesWords[subject];
  if (yes !== undefined && isYesOrNo(check)) {
    const isYes = (foldWhiteSpace(value ?? 'true') === 'true') !== negate;
    return `expected ${elementIn(check) || 'it'} ${isYes ? '' : 'not '}to be ${yes}`;
  }
  const wanted = `"${foldWhiteSpace(value ?? '')}"`;
  if (subject === 'expression' && value === undefined)
    return `expected the expression ${negate ? 'not ' : ''}to be true`;
  if (subject === 'text' && match === 'exact') return `expected ${negate ? 'anything but ' : ''}${wanted}`;
  return `expected ${subjectName(check)} ${negate ? 'not ' : ''}${verbs[match]} ${wanted}`;
}

/** What was there instead: `got "y" in #x`. */
export function whatWasThere(check: Check, got: string | null, label: string | null): string {
  const place = label === null ? '' : ` in ${label}`;
  if (isYesOrNo(check)) return 'it was not so';
  if (got === null) return `got nothing${place}`;
  const isNoNumber =
    (check.match === 'atLeast' || check.match === 'atMost') && numberIn(got) === null
      ? ', which is no number'
      : '';
  // The sign at the end tells whoever takes secrets out of it that a part of one may stand before it.
  return `got "${cut(foldWhiteSpace(got), 4_000)}"${isNoNumber}${place}`;
}

/** What a question that holds has shown: `#x is visible`, `the title contains "x"`. */
export function statement(check: Check, label: string | null): string {
  const { match = 'exact', negate = false, value } = check;
  const subject = subjectOf(check);
  const wanted = foldWhiteSpace(value ?? 'true');
  const yes = yesWords[subject];
  if (yes !== undefined && isYesOrNo(check)) {
    const isYes = (wanted === 'true') !== negate;
    return `${elementIn(check, label)} is ${isYes ? '' : 'not '}${yes}`;
  }
  if (subject === 'text' && match === 'exact' && label !== null)
    return `${label} has ${negate ? 'another text than' : 'the text'} "${wanted}"`;
  if (subject === 'expression' && value === undefined) return `The expression is ${negate ? 'not ' : ''}true`;
  const sentence = `${subjectName(check)}${label === null ? '' : ` of ${label}`} ${negate ? notVerbs[match] : isVerbs[match]} "${wanted}"`;
  return `${sentence.slice(0, 1).toUpperCase()}${sentence.slice(1)}`;
}

/** How a subject is called: `the attribute href`. */
export function subjectName(check: Pick<Check, 'subject' | 'attribute' | 'property' | 'variable'>): string {
  const subject = subjectOf(check);
  switch (subject) {
    case 'attribute':
      return `the attribute ${check.attribute ?? ''}`;
    case 'property':
      return `the property ${check.property ?? ''}`;
    case 'variable':
      return `the variable ${check.variable ?? ''}`;
    case 'selected':
      return 'the chosen option';
    case 'url':
      return 'the address';
    case 'count':
      return 'the number of elements';
    default:
      return `the ${subject}`;
  }
}

const yesWords: Partial<Record<string, string>> = {
  present: 'there',
  visible: 'visible',
  enabled: 'enabled',
  checked: 'checked',
  editable: 'editable',
  focused: 'focused',
};

function isYesOrNo(check: Check): boolean {
  return yesWords[subjectOf(check)] !== undefined;
}

function elementIn(check: Check, label: string | null = null): string {
  return label ?? candidatesOf(check)[0] ?? '';
}

const verbs: Record<Match, string> = {
  exact: 'to be',
  contains: 'to contain',
  startsWith: 'to start with',
  endsWith: 'to end with',
  matches: 'to match',
  atLeast: 'to be at least',
  atMost: 'to be at most',
};

const isVerbs: Record<Match, string> = {
  exact: 'is',
  contains: 'contains',
  startsWith: 'starts with',
  endsWith: 'ends with',
  matches: 'matches',
  atLeast: 'is at least',
  atMost: 'is at most',
};

const notVerbs: Record<Match, string> = {
  exact: 'is not',
  contains: 'does not contain',
  startsWith: 'does not start with',
  endsWith: 'does not end with',
  matches: 'does not match',
  atLeast: 'is less than',
  atMost: 'is more than',
};
