import * as z from 'zod';
import { actionTimeoutMs, type NodeTypeEntry, timeoutAlias } from './entry.ts';
import {
  flag,
  milliseconds,
  modifiers,
  mouseButton,
  number,
  oneOf,
  opens,
  place,
  position,
  secondTarget,
  target,
  text,
  timing,
  wholeNumber,
  word,
} from './fields.ts';

const onElement = {
  fieldAliases: timeoutAlias,
  hasSideEffects: true,
  needsTarget: 'always',
  defaultTimeoutMs: actionTimeoutMs,
  secrets: 'page',
} as const;

/** A key, or a chord such as `Control+Shift+A`. */
const key = word(100);

/** Acting on elements: mouse, keyboard, forms. */
export const elementTypes = {
  click: {
    ...onElement,
    aliases: {
      doubleclick: { count: 2 },
      dblclick: { count: 2 },
      rightclick: { button: 'right' },
      tripleclick: { count: 3 },
    },
    summary: 'Click the element; `opens` waits for the page that opens and names it',
    data: z.strictObject({
      ...target,
      ...place,
      button: mouseButton,
      count: wholeNumber(1, 10).optional(),
      position: position.optional(),
      modifiers,
      /** How long the button is held down. */
      delayMs: milliseconds(0).optional(),
      ...opens,
      ...timing,
    }),
  },
  hover: {
    ...onElement,
    aliases: { mouseover: {} },
    summary: 'Move the mouse over the element',
    data: z.strictObject({ ...target, ...place, position: position.optional(), modifiers, ...timing }),
  },
  drag: {
    ...onElement,
    aliases: { draganddrop: {} },
    summary: 'Drag the element to another (`toSelector`, `toSelectors[]`), or by `by` pixels',
    data: z.strictObject({
      ...target,
      ...secondTarget,
      ...place,
      position: position.optional(),
      toPosition: position.optional(),
      by: position.optional(),
      ...timing,
    }),
    faults: ({ toSelector, toSelectors, by }) =>
      toSelector === undefined && toSelectors === undefined && by === undefined
        ? ['toSelector: is missing']
        : [],
  },
  mouse: {
    ...onElement,
    needsTarget: 'sometimes',
    aliases: { mousedown: { action: 'down' }, mouseup: { action: 'up' }, mousemove: { action: 'move' } },
    summary:
      'Move the mouse, press or release its button, at `position` of the element, or of the window without one; `out` leaves the element',
    data: z.strictObject({
      ...target,
      ...place,
      action: oneOf(['move', 'down', 'up', 'out']),
      button: mouseButton,
      position: position.optional(),
      ...timing,
    }),
    faults: ({ action, selector, selectors, position }) =>
      (action === 'out' || (action === 'move' && position === undefined)) &&
      selector === undefined &&
      selectors === undefined
        ? ['selector: is missing']
        : [],
  },
  scroll: {
    ...onElement,
    hasSideEffects: false,
    needsTarget: 'never',
    aliases: {},
    summary:
      'Scroll the element into view; with `x`, `y` or `to` scroll what is in it, without a selector the page',
    data: z.strictObject({
      ...target,
      ...place,
      x: number(-1e7, 1e7).optional(),
      y: number(-1e7, 1e7).optional(),
      to: oneOf(['top', 'bottom']).optional(),
      ...timing,
    }),
    faults: ({ selector, selectors, x, y, to }) =>
      [selector, selectors, x, y, to].every((given) => given === undefined)
        ? ['selector: is missing (or x, y or to)']
        : [],
  },
  focus: {
    ...onElement,
    aliases: { blur: { leave: true } },
    summary: 'Put the keyboard on the element, or take it away (`leave`)',
    data: z.strictObject({ ...target, ...place, leave: flag.optional(), ...timing }),
  },
  type: {
    ...onElement,
    secrets: 'element',
    aliases: { fill: {}, change: {} },
    fieldAliases: { ...timeoutAlias, value: ['text'] },
    summary:
      'Replace the content of the field by `value`; a select takes the option, a checkbox true or false. `how`: `replace`, `keys` (key by key), `append` (the same behind what is there), `html`',
    data: z.strictObject({
      ...target,
      ...place,
      value: text,
      how: oneOf(['replace', 'append', 'keys', 'html']).optional(),
      /** Between keys. */
      delayMs: milliseconds(0).optional(),
      ...timing,
    }),
  },
  press: {
    ...onElement,
    needsTarget: 'never',
    secrets: 'never',
    aliases: { presskey: {}, keyboard: {} },
    fieldAliases: { ...timeoutAlias, key: ['keys'] },
    summary: 'Press `key` or a chord (`Control+A`), in the element or where the keyboard is',
    data: z.strictObject({
      ...target,
      ...place,
      key,
      count: wholeNumber(1, 1_000).optional(),
      delayMs: milliseconds(0).optional(),
      ...opens,
      ...timing,
    }),
  },
  keyDown: {
    ...onElement,
    needsTarget: 'never',
    secrets: 'never',
    aliases: {},
    summary: 'Hold `key` down',
    data: z.strictObject({ page: place.page, key, ...timing }),
  },
  keyUp: {
    ...onElement,
    needsTarget: 'never',
    secrets: 'never',
    aliases: {},
    summary: 'Let go of `key`',
    data: z.strictObject({ page: place.page, key, ...timing }),
  },
  select: {
    ...onElement,
    secrets: 'never',
    aliases: { selectoption: {}, addselection: { how: 'add' }, removeselection: { how: 'remove' } },
    fieldAliases: { ...timeoutAlias, value: ['option'], values: ['options'] },
    summary:
      'Choose options of a select: `value` or `values[]`, found `by` `label`, `value`, `index`, `id` or `any`; `how`: `set`, `add`, `remove`',
    data: z.strictObject({
      ...target,
      ...place,
      by: oneOf(['any', 'label', 'value', 'index', 'id']).optional(),
      value: text.optional(),
      values: z.array(text, 'must be a list').max(1_000).optional(),
      how: oneOf(['set', 'add', 'remove']).optional(),
      ...timing,
    }),
    faults: ({ value, values }) => (value === undefined && values === undefined ? ['value: is missing'] : []),
  },
  check: {
    ...onElement,
    aliases: { uncheck: { checked: false } },
    summary: 'Check the checkbox or radio button, or uncheck it (`checked` false)',
    data: z.strictObject({ ...target, ...place, checked: flag.optional(), ...timing }),
  },
  submit: {
    ...onElement,
    aliases: {},
    summary: 'Submit the form that the element is or is in, as Enter in it would',
    data: z.strictObject({ ...target, ...place, ...opens, ...timing }),
  },
  upload: {
    ...onElement,
    secrets: 'never',
    aliases: { uploadfile: {}, setinputfiles: {} },
    summary:
      "Give `files[]` to a file field: paths within this machine's folder of files, or `{ name, text }` or `{ name, base64 }`; an empty list takes them away",
    data: z.strictObject({
      ...target,
      ...place,
      files: z
        .array(
          z.union(
            [
              word(4_096),
              z.strictObject({
                name: word(255),
                contentType: word(255).optional(),
                text: z.string().max(1_000_000).optional(),
                base64: z.base64('must be base64').max(1_000_000).optional(),
              }),
            ],
            'must be a path or { name, text } or { name, base64 }',
          ),
          'must be a list of files',
        )
        .max(100),
      ...timing,
    }),
  },
  totp: {
    ...onElement,
    secrets: 'element',
    aliases: {},
    summary:
      'Type the one-time code of this moment, made from the local secret named `secret` (base32 or an otpauth address)',
    data: z.strictObject({
      ...target,
      ...place,
      secret: word(200),
      digits: wholeNumber(6, 8).optional(),
      periodSeconds: wholeNumber(15, 300, 'seconds').optional(),
      algorithm: oneOf(['SHA1', 'SHA256', 'SHA512']).optional(),
      ...timing,
    }),
  },
} as const satisfies Record<string, NodeTypeEntry>;
