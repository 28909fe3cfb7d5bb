/** Deepest nesting of JSON that is taken: flows and results are far below, and databases and writers of JSON go down recursively. */
export const maxDepth = 100;

/** True when JSON is nested deeper than {@link maxDepth}: brackets outside of strings are counted, nothing is parsed. */
export function isTooDeep(json: Uint8Array): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < json.length; i += 1) {
    const byte = json[i];
    if (inString) {
      if (byte === 0x5c) i += 1;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1;
  }
  return false;
}

/** True when JSON may hold what {@link storable} replaces. */
export function hasOddEscape(json: string): boolean {
  return oddEscape.test(json);
}

/**
 * A value of JSON as PostgreSQL can keep it: its text and jsonb hold neither NUL nor half a surrogate pair. A page may
 * contain both, and a result must not be lost over one character.
 */
export function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(storable);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [storableText(key), storable(item)]));
}

/** A text as PostgreSQL can keep it. */
export function storableText(text: string): string {
  return text.replace(halfPair, '\u{fffd}').replaceAll('\0', '\u{fffd}');
}

const oddEscape = /\\u(?:0000|d[89a-f])/i;
// Lone halves of a surrogate pair; with the u flag whole pairs do not match.
const halfPair = /\p{Surrogate}/gu;
