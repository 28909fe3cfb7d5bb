import * as z from 'zod';
import { variableName } from '../../lib/variable-name.ts';

// What fields of `data` are built from. All are judged with their variables in place: what still holds a `{{VAR}}` is passed over
// by step.ts until it is known.

/** Longest that anything in a flow may be told to take. */
const longestMs = 15 * 60_000;

/** A whole number; forms give numbers as text. */
export const wholeNumber = (min: number, max: number, unit = '') => {
  const what = `must be a whole number${unit === '' ? '' : ` of ${unit}`}`;
  const judged = bounded(z.number(what).int(what), min, max);
  return z.union(
    [
      judged,
      z
        .string()
        .trim()
        .regex(/^-?\d+$/, what)
        .transform(Number)
        .pipe(judged),
    ],
    what,
  );
};

/** Any number. */
export const number = (min: number, max: number) => {
  const what = 'must be a number';
  const judged = bounded(z.number(what), min, max);
  const written = z
    .string()
    .trim()
    .regex(/^-?\d+(\.\d+)?$/, what);
  return z.union([judged, written.transform(Number).pipe(judged)], what);
};

function bounded(schema: z.ZodNumber, min: number, max: number): z.ZodNumber {
  return schema.min(min, `must be at least ${min}`).max(max, `must be at most ${max}`);
}

/** Milliseconds, up to a quarter of an hour. */
export const milliseconds = (min: number) => wholeNumber(min, longestMs, 'milliseconds');

/** True or false; forms give them as text. */
export const flag = z.union(
  [z.boolean(), z.enum(['true', 'false']).transform((written) => written === 'true')],
  'must be true or false',
);

/** One of a few words. */
export const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z.enum(words, `must be ${words.join(', ')}`);

/** Text as editors give it: a number typed into a form is text too. */
export const text = z
  .union([z.string(), z.number().transform(String), z.boolean().transform(String)], 'is missing')
  .pipe(z.string().max(100_000));

/** Text that may not be empty. */
export const word = (max = 1_000) => z.string('is missing').trim().min(1, 'is empty').max(max);

/** The name of a variable that a step sets. */
export const variable = z
  .string('is missing')
  .regex(variableName, 'must start with a letter or _ and hold only letters, digits, _ . -');

/** JavaScript that runs in the page, never in the runner. */
export const script = z.string('is missing').trim().min(1, 'is empty').max(100_000);

/** An address; which schemes are opened is judged by step.ts. */
export const address = word(20_000);

const selector = z.string('must be a text').trim().min(1, 'is empty').max(10_000);

/** One way to an element; a list leads through shadow roots, its last one is the element. */
const candidate = z.union(
  [selector, z.array(selector, 'must be a text or a list of texts').min(1, 'is empty').max(20)],
  'must be a text or a list of texts',
);

/** Where a step acts: a primary selector and those that stand in for it, tried together in this order. */
export const target = {
  selector: selector.optional(),
  selectors: z.array(candidate, 'must be a list').max(50).optional(),
};

/** A second element, as where something is dragged to. */
export const secondTarget = {
  toSelector: selector.optional(),
  toSelectors: z.array(candidate, 'must be a list').max(50).optional(),
};

/** A point within an element, in CSS pixels from its top left corner. */
export const position = z.strictObject({ x: number(-100_000, 100_000), y: number(-100_000, 100_000) });

/** A frame: its place among the frames around it, or a selector of the element that holds it. */
export const frameStep = z.union(
  [z.number().int().min(0).max(1_000), selector],
  'must be a number or a selector',
);

/** Which page and frame a step is about, where it is another than the flow is in. */
export const place = {
  /** `main`, `latest`, a name given by `opens` or `openPage`, or a part of its address. */
  page: word().optional(),
  /** The way from the page to the frame, from the outside in. */
  frame: z.array(frameStep, 'must be a list').max(20).optional(),
};

/** Fields of every step that can be tried again and has a time of its own. */
export const timing = {
  /** Time budget of the whole step, all selectors together. */
  timeoutMs: milliseconds(1).optional(),
  /** How often the step is tried again after it failed. */
  retries: wholeNumber(0, 20).optional(),
  retryDelayMs: milliseconds(0).optional(),
};

/** Keys held down while the mouse acts. */
export const modifiers = z
  .array(oneOf(['Alt', 'Control', 'ControlOrMeta', 'Meta', 'Shift']), 'must be a list')
  .max(5)
  .optional();

export const mouseButton = oneOf(['left', 'right', 'middle', 'back', 'forward']).optional();

/** The name under which the page that this step opens is known from then on; the step waits for it. */
export const opens = { opens: word(100).optional() };

/** How a text is compared. `exact` folds white space, `matches` is a regular expression of JavaScript. */
export const match = oneOf(['exact', 'contains', 'startsWith', 'endsWith', 'matches', 'atLeast', 'atMost']);

/** What can be read of an element or a page. */
export const readableSubjects = [
  'text',
  'value',
  'attribute',
  'property',
  'count',
  'present',
  'visible',
  'enabled',
  'checked',
  'editable',
  'focused',
  'selected',
  'title',
  'url',
] as const;

/** What a question can be about. An extract needs neither of the last two: a variable is there already, and `evaluate` keeps what an expression gives. */
const subjects = [...readableSubjects, 'variable', 'expression'] as const;

/** A question with a yes or no: of an assertion, an `if`, a loop. */
export const check = {
  ...target,
  ...place,
  /** What is looked at. `selected` is the label of what a select shows; those from `present` to `focused` are true or false. */
  subject: oneOf(subjects).optional(),
  attribute: word().optional(),
  property: word().optional(),
  variable: variable.optional(),
  expression: script.optional(),
  match: match.optional(),
  value: text.optional(),
  /** True turns the question round. */
  negate: flag.optional(),
};
