import * as z from 'zod';
import { actionTimeoutMs, type NodeTypeEntry, timeoutAlias } from './entry.ts';
import {
  check,
  milliseconds,
  oneOf,
  place,
  script,
  text,
  timing,
  variable,
  wholeNumber,
  word,
} from './fields.ts';
import { checkFaults } from './questions.ts';

/** Deciding, repeating, and everything a flow does with its variables. Expressions run in the page, never in the runner. */
export const controlTypes = {
  if: {
    aliases: { condition: {}, branch: {} },
    fieldAliases: timeoutAlias,
    hasSideEffects: false,
    needsTarget: 'sometimes',
    defaultTimeoutMs: actionTimeoutMs,
    secrets: 'page',
    branches: ['true', 'false'],
    summary:
      'Go on along the edge `true` or `false` (its sourceHandle), by a question asked as in an assertion; `waitMs` waits that long for a yes',
    data: z.strictObject({ ...check, waitMs: milliseconds(0).optional(), ...timing }),
    faults: checkFaults,
  },
  loop: {
    aliases: { repeat: {}, while: { kind: 'while' }, foreach: { kind: 'forEach' }, times: { kind: 'times' } },
    fieldAliases: timeoutAlias,
    hasSideEffects: false,
    needsTarget: 'sometimes',
    defaultTimeoutMs: actionTimeoutMs,
    secrets: 'page',
    branches: ['body', 'done'],
    summary:
      'Repeat what the edge `body` leads to, then go on along `done`: `kind` `times`, `forEach` of `items` (a list, or JSON in a text), `while` or `doWhile` a question as in an assertion holds; `as` names the variable for the item or the count from 0. At most `maxIterations` (1000)',
    data: z.strictObject({
      ...check,
      kind: oneOf(['times', 'forEach', 'while', 'doWhile']),
      times: wholeNumber(0, 2_000).optional(),
      items: z.union([z.array(text).max(2_000), z.string().max(1_000_000)], 'must be a list').optional(),
      as: variable.optional(),
      maxIterations: wholeNumber(1, 2_000).optional(),
      ...timing,
    }),
    faults(fields) {
      if (fields['kind'] === 'times') return fields['times'] === undefined ? ['times: is missing'] : [];
      if (fields['kind'] === 'forEach') return fields['items'] === undefined ? ['items: is missing'] : [];
      return checkFaults(fields);
    },
  },
  subflow: {
    aliases: { runreusable: {}, call: {} },
    fieldAliases: { ...timeoutAlias, subflow: ['name', 'contextName'] },
    hasSideEffects: false,
    needsTarget: 'never',
    defaultTimeoutMs: actionTimeoutMs,
    secrets: 'never',
    summary:
      'Run the steps behind the `subflowStart` node of that name, then go on; `variables` are set before',
    data: z.strictObject({ subflow: word(200), variables: z.record(variable, text).optional() }),
  },
  setVariable: {
    aliases: { store: {}, set: {} },
    fieldAliases: { ...timeoutAlias, variable: ['name', 'variableName'] },
    hasSideEffects: false,
    needsTarget: 'never',
    defaultTimeoutMs: actionTimeoutMs,
    secrets: 'never',
    summary:
      'Set `variable` to `value`, or to what `expression` gives in the page, where `variables` holds those of the run',
    data: z.strictObject({
      variable,
      value: text.optional(),
      expression: script.optional(),
      ...place,
      ...timing,
    }),
    faults: ({ value, expression }) =>
      value === undefined && expression === undefined ? ['value: is missing'] : [],
  },
  evaluate: {
    aliases: { script: {}, javascript: {}, javascriptcode: {}, executescript: {} },
    fieldAliases: { ...timeoutAlias, script: ['code'], variable: ['saveAs'] },
    hasSideEffects: true,
    needsTarget: 'never',
    defaultTimeoutMs: actionTimeoutMs,
    secrets: 'never',
    summary:
      'Run `script`, the body of a function, in the page; `variables` holds those of the run, `return` what `variable` gets. `callback` true waits for `callback(result)`',
    data: z.strictObject({
      script,
      variable: variable.optional(),
      callback: z.boolean().optional(),
      ...place,
      ...timing,
    }),
  },
  log: {
    aliases: { echo: {} },
    fieldAliases: { message: ['text', 'value'] },
    hasSideEffects: false,
    needsTarget: 'never',
    defaultTimeoutMs: actionTimeoutMs,
    secrets: 'never',
    summary: 'Write `message` into the log of the run',
    data: z.strictObject({ message: text }),
  },
} as const satisfies Record<string, NodeTypeEntry>;
