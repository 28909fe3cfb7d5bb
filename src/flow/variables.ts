import { variableNamePattern } from '../lib/variable-name.ts';

/** Variables of a run by name. */
export type Variables = Readonly<Record<string, string>>;

const reference = new RegExp(`\\{\\{\\s*(${variableNamePattern})\\s*\\}\\}`, 'g');

/** Deepest nesting of a node's `data` that is followed. */
const maxDepth = 32;

/** More than any field takes: a text that comes to more is refused, however much more that is. */
const mostCharacters = 1_000_001;

/**
 * `{{ NAME }}` in every string of `value`, however nested, replaced; an unknown name is left as it stands. A text ends where it comes
 * to be longer than any field may be: a small flow could ask for one that no memory holds.
 */
export function substitute<T>(value: T, variables: Variables): T {
  return mapStrings(value, (text) => {
    let written = '';
    let at = 0;
    for (const { 0: whole, 1: name = '', index } of text.matchAll(reference)) {
      const put = Object.hasOwn(variables, name) ? (variables[name] ?? whole) : whole;
      written += text.slice(at, index) + put;
      if (written.length > mostCharacters) return written.slice(0, mostCharacters);
      at = index + whole.length;
    }
    return at === 0 ? text : written + text.slice(at);
  }) as T;
}

/** The names `value` refers to, each once, in order of appearance. */
export function referencedVariables(value: unknown): string[] {
  const names = new Set<string>();
  mapStrings(value, (text) => {
    for (const [, name] of text.matchAll(reference)) if (name !== undefined) names.add(name);
    return text;
  });
  return [...names];
}

function mapStrings(value: unknown, map: (text: string) => string, depth = 0): unknown {
  if (typeof value === 'string') return map(value);
  if (typeof value !== 'object' || value === null || depth >= maxDepth) return value;
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, map, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, mapStrings(item, map, depth + 1)]),
  );
}
