import { variableNamePattern } from '../lib/variable-name.ts';

/** Variables of a run by name. */
export type Variables = Readonly<Record<string, string>>;

const reference = new RegExp(`\\{\\{\\s*(${variableNamePattern})\\s*\\}\\}`, 'g');

/** Deepest nesting of a node's `data` that is followed. */
const maxDepth = 32;

/** `{{ NAME }}` in every string of `value`, however nested, replaced; an unknown name is left as it stands. */
export function substitute<T>(value: T, variables: Variables): T {
  return mapStrings(value, (text) =>
    text.replace(reference, (whole, name: string) =>
      Object.hasOwn(variables, name) ? (variables[name] ?? whole) : whole,
    ),
  ) as T;
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
