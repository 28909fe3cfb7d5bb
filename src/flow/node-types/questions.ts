import * as z from 'zod';
import {
  actionTimeoutMs,
  assertionTimeoutMs,
  type NodeTypeEntry,
  timeoutAlias,
  withoutElement,
} from './entry.ts';
import {
  check,
  flag,
  match,
  milliseconds,
  oneOf,
  place,
  readableSubjects,
  script,
  target,
  text,
  timing,
  variable,
  wholeNumber,
  word,
} from './fields.ts';

/** Subjects that are about no element. */
const ofNoElement: readonly unknown[] = ['title', 'url', 'variable', 'expression'];
/** Subjects that are true or false; `value` is true where it is left out. */
export const yesOrNoSubjects: readonly unknown[] = [
  'present',
  'visible',
  'enabled',
  'checked',
  'editable',
  'focused',
  'expression',
];

type Fields = Readonly<Record<string, unknown>>;

/** What a subject needs besides itself, as faults. */
function subjectFaults(fields: Fields): string[] {
  const { subject = 'text', selector, selectors } = fields;
  const needed = ['attribute', 'property', 'variable', 'expression'].filter((name) => name === subject);
  return [
    ...(!ofNoElement.includes(subject) && selector === undefined && selectors === undefined
      ? ['selector: is missing']
      : []),
    ...needed.filter((name) => fields[name] === undefined).map((name) => `${name}: is missing`),
  ];
}

/** The faults of a whole question. */
export function checkFaults(fields: Fields): string[] {
  const { subject = 'text', value, match: how } = fields;
  return [
    ...subjectFaults(fields),
    ...(value === undefined && !yesOrNoSubjects.includes(subject) ? ['value: is missing'] : []),
    ...(how === 'matches' && typeof value === 'string' && !value.includes('{{') ? regexFaults(value) : []),
  ];
}

function regexFaults(written: string): string[] {
  try {
    new RegExp(written, 'u');
    return [];
  } catch {
    try {
      new RegExp(written);
      return [];
    } catch (error) {
      return [`value: is no regular expression (${error instanceof Error ? error.message : String(error)})`];
    }
  }
}

/** Waiting for the page, judging it, and reading from it. */
export const questionTypes = {
  wait: {
    aliases: { pause: {}, sleep: {}, delay: {} },
    fieldAliases: { ms: ['duration', 'durationMs', 'milliseconds'] },
    hasSideEffects: false,
    needsTarget: 'never',
    defaultTimeoutMs: 16 * 60_000,
    secrets: 'page',
    summary: 'Wait `ms` milliseconds',
    data: z.strictObject({ ms: milliseconds(0) }),
  },
  waitFor: {
    aliases: { waitforelement: {}, waitforexpression: {}, wait_element: {} },
    fieldAliases: timeoutAlias,
    hasSideEffects: false,
    needsTarget: 'sometimes',
    defaultTimeoutMs: 30_000,
    secrets: 'page',
    summary:
      'Wait until all that is given holds: `state` of the element, `count` (`operator` `>=`, `==`, `<=`), `properties`, `attributes`, `text`, `url`, `title` (`match`), `expression`, `load`',
    data: z.strictObject({
      ...target,
      ...place,
      state: oneOf([
        'visible',
        'hidden',
        'attached',
        'detached',
        'enabled',
        'disabled',
        'editable',
        'readonly',
        'checked',
        'unchecked',
        'stable',
      ]).optional(),
      count: wholeNumber(0, 1_000_000).optional(),
      operator: oneOf(['>=', '==', '<=']).optional(),
      properties: z.record(z.string(), z.unknown()).optional(),
      attributes: z.record(z.string(), text).optional(),
      text: text.optional(),
      url: text.optional(),
      title: text.optional(),
      match: match.optional(),
      expression: script.optional(),
      /** A state of loading of the page. */
      load: oneOf(['load', 'domcontentloaded', 'networkidle']).optional(),
      /** True turns it round: until it holds no longer. */
      negate: flag.optional(),
      ...timing,
    }),
    faults(fields) {
      const ofElement = ['state', 'count', 'properties', 'attributes', 'text'].some(
        (name) => fields[name] !== undefined,
      );
      const hasTarget = fields['selector'] !== undefined || fields['selectors'] !== undefined;
      const ofPage = ['url', 'title', 'expression', 'load'].some((name) => fields[name] !== undefined);
      if (ofElement && !hasTarget) return ['selector: is missing'];
      return hasTarget || ofPage ? [] : ['selector: is missing (or url, title, expression or load)'];
    },
  },
  assertion: {
    aliases: { assert: {}, verify: {}, expect: {} },
    fieldAliases: { ...timeoutAlias, value: ['expected', 'text', 'expectedText'] },
    hasSideEffects: false,
    needsTarget: 'sometimes',
    defaultTimeoutMs: assertionTimeoutMs,
    secrets: 'page',
    summary:
      'The `subject` (`text` if nothing is said) is `value`; waits until it is. `match` `exact`, `contains`, `startsWith`, `endsWith`, `matches`, `atLeast`, `atMost`; `negate`; `soft` lets the run go on',
    data: z.strictObject({ ...check, soft: flag.optional(), ...timing }),
    faults: checkFaults,
  },
  extract: {
    aliases: {},
    fieldAliases: { ...timeoutAlias, variable: ['variableName', 'saveAs', 'saveTo', 'as', 'name'] },
    hasSideEffects: false,
    needsTarget: 'sometimes',
    defaultTimeoutMs: actionTimeoutMs,
    secrets: 'page',
    summary:
      'Save the `subject` in `variable`, for the steps after it: `text` if nothing is said, `value`, `attribute`, `property`, `count`, `selected`, `title`, `url`, or `table` (rows as JSON)',
    data: z.strictObject({
      ...target,
      ...place,
      subject: oneOf([...readableSubjects, 'table']).optional(),
      attribute: word().optional(),
      property: word().optional(),
      variable,
      ...timing,
    }),
    faults: (fields) => subjectFaults({ ...fields, expression: '' }),
  },
  screenshot: {
    aliases: {},
    ...withoutElement,
    summary: 'Keep a picture of what the window shows, of the whole page (`fullPage`) or of the element',
    data: z.strictObject({ ...target, ...place, fullPage: flag.optional(), ...timing }),
  },
  dialog: {
    aliases: {},
    fieldAliases: { ...timeoutAlias, action: ['answer'] },
    hasSideEffects: true,
    needsTarget: 'never',
    defaultTimeoutMs: actionTimeoutMs,
    secrets: 'never',
    summary:
      'Answer the dialog that the step before has opened, or else the next one: `action` `accept` or `dismiss`, `text` for a prompt, `message` it must have, `variable` to save it in; `required` false where it may stay away',
    data: z.strictObject({
      action: oneOf(['accept', 'dismiss']).optional(),
      text: text.optional(),
      message: text.optional(),
      match: match.optional(),
      kind: oneOf(['alert', 'confirm', 'prompt', 'beforeunload']).optional(),
      variable: variable.optional(),
      required: flag.optional(),
      soft: flag.optional(),
      ...timing,
    }),
  },
  download: {
    aliases: { expectdownload: {} },
    fieldAliases: timeoutAlias,
    hasSideEffects: false,
    needsTarget: 'never',
    defaultTimeoutMs: 30_000,
    secrets: 'never',
    summary:
      "Wait for the download that a step before has begun: `fileName` (`match`), `contains` a text, `minBytes`; `save` keeps it in this machine's folder of files, `variable` takes its name",
    data: z.strictObject({
      fileName: text.optional(),
      match: match.optional(),
      contains: text.optional(),
      minBytes: wholeNumber(0, 1_000_000_000, 'bytes').optional(),
      save: word(1_000).optional(),
      variable: variable.optional(),
      ...timing,
    }),
  },
} as const satisfies Record<string, NodeTypeEntry>;
