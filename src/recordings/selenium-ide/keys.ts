import type { ImportContext } from './import-context.ts';
import { NotKept } from './not-kept.ts';

/** What is sent to an element, one after the other: text that is typed, or a key or chord that is pressed. */
export type KeyPart = { text: string } | { press: string };

/**
 * `abc${KEY_ENTER}` as a text and a key. A modifier is held for what follows it, until it is named again or the command ends, as
 * WebDriver has it. Throws NotKept for a key that no keyboard has.
 */
export function splitKeys(written: string, context: ImportContext): KeyPart[] {
  const parts: KeyPart[] = [];
  const held = new Set<string>();
  let isHeldUnused = false;
  const chord = (key: string): void => {
    parts.push({ press: [...held, key].join('+') });
    isHeldUnused = false;
  };
  for (const piece of written.trim().split(/(\$\{KEY_\w+\})/)) {
    const name = /^\$\{KEY_(\w+)\}$/.exec(piece)?.[1];
    if (name === undefined) {
      const text = context.text(piece === piece.trim() ? piece : protectSpaces(piece)).replaceAll(space, ' ');
      if (text === '') continue;
      if (held.size === 0) parts.push({ text });
      else for (const character of text) chord(character === ' ' ? 'Space' : character);
      continue;
    }
    const key = keys[name.toUpperCase()];
    if (key === undefined) throw new NotKept(`there is no key KEY_${name}`);
    if (key === '') held.clear();
    else if (!modifiers.has(key)) chord(key);
    else if (held.delete(key)) isHeldUnused = false;
    else {
      held.add(key);
      isHeldUnused = true;
    }
  }
  if (isHeldUnused) parts.push({ press: [...held].join('+') });
  return parts;
}

/** Spaces between text and keys are typed, although commands are trimmed. */
const space = '\u{e000}';
const protectSpaces = (text: string): string => text.replaceAll(' ', space);

const modifiers: ReadonlySet<string> = new Set(['Shift', 'Control', 'Alt', 'Meta']);

/** Selenium's names, those of the old IDE among them, and what the key is called in a browser. An empty one lets go of all. */
const keys: Readonly<Record<string, string>> = {
  NULL: '',
  HELP: 'Help',
  BACK_SPACE: 'Backspace',
  BACKSPACE: 'Backspace',
  BKSP: 'Backspace',
  TAB: 'Tab',
  RETURN: 'Enter',
  ENTER: 'Enter',
  SHIFT: 'Shift',
  CONTROL: 'Control',
  CTRL: 'Control',
  ALT: 'Alt',
  COMMAND: 'Meta',
  COMM: 'Meta',
  META: 'Meta',
  WIN: 'Meta',
  PAUSE: 'Pause',
  ESCAPE: 'Escape',
  ESC: 'Escape',
  SPACE: 'Space',
  PAGE_UP: 'PageUp',
  PGUP: 'PageUp',
  PAGE_DOWN: 'PageDown',
  PGDN: 'PageDown',
  END: 'End',
  HOME: 'Home',
  LEFT: 'ArrowLeft',
  ARROW_LEFT: 'ArrowLeft',
  UP: 'ArrowUp',
  ARROW_UP: 'ArrowUp',
  RIGHT: 'ArrowRight',
  ARROW_RIGHT: 'ArrowRight',
  DOWN: 'ArrowDown',
  ARROW_DOWN: 'ArrowDown',
  INSERT: 'Insert',
  INS: 'Insert',
  DELETE: 'Delete',
  DEL: 'Delete',
  SEMICOLON: ';',
  EQUALS: '=',
  MULTIPLY: 'NumpadMultiply',
  MUL: 'NumpadMultiply',
  ADD: 'NumpadAdd',
  PLUS: 'NumpadAdd',
  SUBTRACT: 'NumpadSubtract',
  MINUS: 'NumpadSubtract',
  DECIMAL: 'NumpadDecimal',
  PERIOD: 'NumpadDecimal',
  DIVIDE: 'NumpadDivide',
  DIV: 'NumpadDivide',
  ...Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`F${index + 1}`, `F${index + 1}`])),
  ...Object.fromEntries(
    Array.from({ length: 10 }, (_, digit) => [
      [`NUMPAD${digit}`, `Numpad${digit}`],
      [`N${digit}`, `Numpad${digit}`],
    ]).flat(),
  ),
};
