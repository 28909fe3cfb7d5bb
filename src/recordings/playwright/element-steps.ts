import type { DraftStep } from '../lay-out-flow.ts';
import { isLocatorPath, type LocatorPath, spellLocator, Unsayable } from './spell-locator.ts';

/** Fields that say where: `selector`, `frame`, `page`. */
export type Place = Readonly<Record<string, unknown>>;

/** The step that a method of a locator is. Throws Unsayable for one that no step says. */
export function elementStep(method: string, args: readonly unknown[], place: Place): DraftStep {
  const [first, second] = args;
  const step = (type: string, data: object, options: unknown): DraftStep => ({
    type,
    data: { ...place, ...data, ...optionsOf(options) },
  });
  switch (method) {
    case 'click':
    case 'tap':
      return step('click', {}, first);
    case 'dblclick':
      return step('click', { count: 2 }, first);
    case 'hover':
      return step('hover', {}, first);
    case 'check':
      return step('check', {}, first);
    case 'uncheck':
      return step('check', { checked: false }, first);
    case 'setChecked':
      return step('check', { checked: first }, second);
    case 'fill':
      return step('type', { value: first }, second);
    case 'clear':
      return step('type', { value: '' }, first);
    case 'pressSequentially':
    case 'type':
      return step('type', { value: first, how: 'keys' }, second);
    case 'press':
      return step('press', { key: keyOf(first) }, second);
    case 'focus':
      return step('focus', {}, first);
    case 'blur':
      return step('focus', { leave: true }, first);
    case 'selectOption':
      return step('select', chosen(first), second);
    case 'setInputFiles':
      return step('upload', { files: filesOf(first) }, second);
    case 'dragTo':
      if (!isLocatorPath(first)) throw new Unsayable('dragTo() without a locator');
      return step('drag', { toSelector: destination(first, place) }, second);
    case 'scrollIntoViewIfNeeded':
      return step('scroll', {}, first);
    case 'waitFor': {
      const { state = 'visible', ...rest } = Object(first) as Record<string, unknown>;
      return step('waitFor', { state }, rest);
    }
    case 'screenshot':
      return { type: 'screenshot', data: { ...place } };
    default:
      throw new Unsayable(`there is no step for ${method}()`);
  }
}

/** Options that only tune how Playwright acts, and mean nothing to a step. */
const silent: ReadonlySet<string> = new Set(['force', 'noWaitAfter', 'strict', 'steps']);

const optionNames: Readonly<Record<string, string>> = {
  timeout: 'timeoutMs',
  delay: 'delayMs',
  clickCount: 'count',
  button: 'button',
  modifiers: 'modifiers',
  position: 'position',
  sourcePosition: 'position',
  targetPosition: 'toPosition',
};

function optionsOf(options: unknown): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(Object(options) as object)) {
    const field = optionNames[name];
    if (field !== undefined) fields[field] = value;
    else if (!silent.has(name)) throw new Unsayable(`the option "${name}"`);
  }
  return fields;
}

function keyOf(key: unknown): unknown {
  return key === ' ' ? 'Space' : key;
}

/** A text is a value or a label, as Playwright takes it. */
function chosen(value: unknown): Record<string, unknown> {
  const list = Array.isArray(value) ? value : [value];
  if (list.every((item) => typeof item === 'string')) {
    return Array.isArray(value) ? { values: list } : { value };
  }
  for (const by of ['label', 'value', 'index']) {
    const given = list.map((item: unknown) => Reflect.get(Object(item), by));
    if (given.every((item) => typeof item === 'string' || typeof item === 'number')) {
      return given.length === 1 ? { by, value: String(given[0]) } : { by, values: given.map(String) };
    }
  }
  throw new Unsayable('options that are chosen in different ways, or by a locator');
}

function filesOf(value: unknown): unknown[] {
  return (Array.isArray(value) ? value : [value]).map((file: unknown) => {
    if (typeof file === 'string') return file;
    const { name, mimeType, buffer } = Object(file) as Record<string, unknown>;
    if (typeof name !== 'string' || typeof buffer !== 'string')
      throw new Unsayable('a file that is computed');
    return { name, ...(mimeType === undefined ? {} : { contentType: mimeType }), text: buffer };
  });
}

function destination(path: LocatorPath, place: Place): string {
  const { selector, frame } = spellLocator(path);
  if (JSON.stringify(frame) !== JSON.stringify(place['frame'])) {
    throw new Unsayable('dragTo() into another frame');
  }
  return selector;
}
