import { StepFailure } from '../step/step-error.ts';

/**
 * The keys of a chord as Playwright calls them, in the order they go down: `Control+A`, `ctrl+shift+ArrowLeft`, `${KEY_ENTER}`,
 * `Control++`. Case matters for single letters only. Throws StepFailure `invalid_data` for what is no key.
 */
export function chordOf(written: string): string[] {
  const parts = written.match(/\+(?=$)|[^+]+/g) ?? [];
  return parts.map((part) => keyNamed(part.trim(), written));
}

/** One key as Playwright calls it. */
export function keyNamed(name: string, written = name): string {
  // Whatever stands on its own is a key, also one that no keyboard has: it is put in as a text.
  if ([...name].length === 1) return name;
  const plain = plainName(name);
  const key = named.get(plain) ?? (/^f([1-9]|1[0-9]|2[0-4])$/.test(plain) ? plain.toUpperCase() : null);
  if (key !== null) return key;
  const code = /^(key[a-z]|digit\d|numpad\d)$/.test(plain);
  if (code) return plain.charAt(0).toUpperCase() + plain.slice(1, -1) + plain.slice(-1).toUpperCase();
  throw new StepFailure(
    'invalid_data',
    `key: ${written}: "${name}" is no key; keys are called Enter, Tab, ArrowLeft, a, and chords Control+A`,
  );
}

/** `${KEY_PAGE_UP}`, `Page Up` and `PageUp` are one. */
function plainName(name: string): string {
  return name
    .replace(/^\$\{(.*)\}$/, '$1')
    .toLowerCase()
    .replace(/^key_/, '')
    .replace(/[\s_-]/g, '');
}

const keys: readonly string[] = [
  ...[
    'Enter',
    'Tab',
    'Escape',
    'Backspace',
    'Delete',
    'Insert',
    'Space',
    'Home',
    'End',
    'PageUp',
    'PageDown',
  ],
  ...['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'CapsLock', 'NumLock', 'ScrollLock', 'Pause'],
  ...['PrintScreen', 'ContextMenu', 'Help', 'Shift', 'ShiftLeft', 'ShiftRight', 'Control', 'ControlLeft'],
  ...[
    'ControlRight',
    'Alt',
    'AltLeft',
    'AltRight',
    'AltGraph',
    'Meta',
    'MetaLeft',
    'MetaRight',
    'ControlOrMeta',
  ],
  ...['NumpadEnter', 'NumpadAdd', 'NumpadSubtract', 'NumpadMultiply', 'NumpadDivide', 'NumpadDecimal'],
  ...['Backquote', 'Minus', 'Equal', 'Backslash', 'BracketLeft', 'BracketRight', 'Semicolon', 'Quote'],
  ...['Comma', 'Period', 'Slash'],
];

/** Other names, as Selenium and people write them. */
const otherNames: Readonly<Record<string, string>> = {
  return: 'Enter',
  esc: 'Escape',
  del: 'Delete',
  ins: 'Insert',
  spacebar: 'Space',
  pgup: 'PageUp',
  pgdn: 'PageDown',
  left: 'ArrowLeft',
  right: 'ArrowRight',
  up: 'ArrowUp',
  down: 'ArrowDown',
  ctrl: 'Control',
  option: 'Alt',
  cmd: 'Meta',
  command: 'Meta',
  win: 'Meta',
  super: 'Meta',
  os: 'Meta',
  leftshift: 'Shift',
  leftcontrol: 'Control',
  leftalt: 'Alt',
  bksp: 'Backspace',
  bkspace: 'Backspace',
  multiply: 'NumpadMultiply',
  add: 'NumpadAdd',
  subtract: 'NumpadSubtract',
  divide: 'NumpadDivide',
  decimal: 'NumpadDecimal',
  separator: 'Comma',
  equals: 'Equal',
  plus: '+',
  ...Object.fromEntries([...'0123456789'].map((digit) => [`n${digit}`, `Numpad${digit}`])),
};

const named: ReadonlyMap<string, string> = new Map([
  ...keys.map((key) => [key.toLowerCase(), key] as const),
  ...Object.entries(otherNames),
]);
