import { decodedLayers, type Layer, openEscapeAt } from './decoded-layers.ts';
import { lastUpTo } from './last-up-to.ts';
import { spellingsOf } from './spellings.ts';
import { createTextFinder, type Occurrence, type TextFinder } from './text-finder.ts';

/** Takes secrets out of everything that leaves a program or is written by it. */
export interface Redactor {
  /** `text` with `<redacted NAME>` in place of every secret, however it is encoded, and of the beginning of one before `…`. */
  text(text: string): string;
  /** Where whole secrets stand in `text`, in order, without overlaps. */
  find(text: string): Occurrence[];
  /** The same value with every text in it redacted, keys included. An Error is changed itself: it stays what it is. */
  deep<T>(value: T): T;
  /** For a text that comes in parts, cut anywhere: what comes out is what {@link text} gives of the whole. */
  stream(): RedactingStream;
}

/** Holds back only what may be the beginning of a secret. */
interface RedactingStream {
  push(part: string): string;
  /** The rest; nothing may follow. */
  end(): string;
}

/** A redactor of these secrets: their names and values. Without secrets it costs nothing. */
export function createRedactor(secrets: Iterable<readonly [name: string, value: string]>): Redactor {
  const spellings = new Map<string, string>();
  for (const [name, value] of secrets) {
    for (const spelling of spellingsOf(value)) if (!spellings.has(spelling)) spellings.set(spelling, name);
  }
  if (spellings.size === 0) return nothingToRedact;
  const finder = createTextFinder(spellings);
  const text = (whole: string): string => withMarks(whole, findIn(decodedLayers(whole), finder, mostCuts));
  return {
    text,
    find: (whole) => findIn(decodedLayers(whole), finder, 0),
    deep: (value) => redactDeep(value, text, new Map(), 0) as typeof value,
    stream: () => createStream(finder),
  };
}

const nothingToRedact: Redactor = {
  text: (text) => text,
  find: () => [],
  deep: (value) => value,
  stream: () => ({ push: (part) => part, end: () => '' }),
};

function findIn(layers: readonly Layer[], finder: TextFinder, cuts: number): Occurrence[] {
  const found = layers.flatMap((layer) =>
    [...finder.all(layer.text), ...cutOff(layer.text, finder, cuts)].map(({ start, end, name }) => ({
      start: layer.startOf(start),
      end: layer.startOf(end),
      name,
    })),
  );
  found.sort((one, other) => one.start - other.start || other.end - one.end);
  const apart: Occurrence[] = [];
  for (const next of found) {
    const last = apart.at(-1);
    if (last === undefined || next.start >= last.end) apart.push({ ...next });
    else last.end = Math.max(last.end, next.end);
  }
  return apart;
}

/** The sign by which this program, and many a page, cuts a text. */
const cutSign = '…';
/**
 * As many places as this program cuts a text at before it is redacted, from its end. Were there no such limit, a page full of
 * guesses would be told which of them is how a secret begins, and so find it piece by piece.
 */
const mostCuts = 8;

/** Beginnings of secrets before the last places where a text was cut. */
function cutOff(text: string, finder: TextFinder, cuts: number): Occurrence[] {
  if (cuts === 0) return [];
  let from = text.length;
  for (let count = 0; count < cuts && from > 0; count += 1) {
    const before = text.lastIndexOf(cutSign, from - 1);
    if (before === -1) break;
    from = before;
  }
  return from === text.length ? [] : finder.begunBefore(text, cutSign, from, leastBegun);
}

/** Characters of a secret's beginning that are worth taking out, by its length. */
function leastBegun(length: number): number {
  return Math.min(8, Math.ceil(length / 2));
}

function withMarks(text: string, found: readonly Occurrence[]): string {
  if (found.length === 0) return text;
  let written = '';
  let at = 0;
  for (const { start, end, name } of found) {
    written += `${text.slice(at, start)}<redacted ${name}>`;
    at = end;
  }
  return written + text.slice(at);
}

/** What is written on this machine is no answer to anybody's guesses: each cut counts. */
function createStream(finder: TextFinder): RedactingStream {
  let held = '';
  return {
    push(part) {
      held += part;
      const layers = decodedLayers(held);
      const found = findIn(layers, finder, Infinity);
      const cut = safeCut(layers, found, finder);
      const out = withMarks(
        held.slice(0, cut),
        found.filter(({ end }) => end <= cut),
      );
      held = held.slice(cut);
      return out;
    },
    end() {
      const rest = held;
      held = '';
      return withMarks(rest, findIn(decodedLayers(rest), finder, Infinity));
    },
  };
}

/** Up to where nothing that follows changes what is found, at a place where no escape is cut in two. */
function safeCut(layers: readonly Layer[], found: readonly Occurrence[], finder: TextFinder): number {
  const original = layers[0]?.text ?? '';
  let cut = original.length;
  /** From here on the parts to come may make something else of what stands there. */
  let open = original.length;
  for (const layer of layers) {
    const { text, startOf } = layer;
    open = Math.min(open, startOf(openEscapeAt(text)));
    for (const certain of new Set([text, text.slice(0, unitAt(layer, open))])) {
      const begun = finder.begun(certain);
      cut = Math.min(cut, begun === null ? open : startOf(begun.start));
    }
  }
  const last = layers.at(-1) ?? { text: original, startOf: (index: number) => index };
  for (;;) {
    const before = cut;
    for (const { start, end } of found) if (start < cut && cut < end) cut = start;
    // The last layer's characters are the longest stretches of the original that are read as one.
    cut = last.startOf(unitAt(last, cut));
    if (cut === before) return cut;
  }
}

/** The character of a layer that comes from place `at` of the original. */
function unitAt({ text, startOf }: Layer, at: number): number {
  return lastUpTo(at, text.length, startOf);
}

const maxDepth = 32;

function redactDeep(
  value: unknown,
  text: (text: string) => string,
  seen: Map<object, unknown>,
  depth: number,
): unknown {
  if (typeof value === 'string') return text(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= maxDepth) return '<too deep>';
  const again = seen.get(value);
  if (again !== undefined) return again;
  const inner = (item: unknown): unknown => redactDeep(item, text, seen, depth + 1);
  if (value instanceof Error) {
    seen.set(value, value);
    const texts = ['message', 'stack', 'cause', ...Object.keys(value)];
    for (const key of new Set(texts)) {
      const before: unknown = Reflect.get(value, key);
      const after = inner(before);
      if (after !== before)
        Reflect.defineProperty(value, key, { value: after, writable: true, configurable: true });
    }
    return value;
  }
  if (value instanceof URL) return text(value.href);
  if (Array.isArray(value)) {
    const copy: unknown[] = [];
    seen.set(value, copy);
    for (const item of value) copy.push(inner(item));
    return copy;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  // What has a class of its own prints by itself, as a Secret does.
  if (prototype !== Object.prototype && prototype !== null) return value;
  const copy: Record<string, unknown> = {};
  seen.set(value, copy);
  for (const [key, item] of Object.entries(value)) {
    const how = { value: inner(item), enumerable: true, writable: true, configurable: true };
    Object.defineProperty(copy, text(key), how);
  }
  return copy;
}
