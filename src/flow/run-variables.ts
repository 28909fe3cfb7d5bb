import type { Variables } from './variables.ts';

/** The variables of one run while it goes on: texts for flows, and for expressions the very values that were put in. */
export interface RunVariables {
  /** As `{{NAME}}` sees them. */
  readonly texts: Variables;
  /** As expressions in the page see them: what a script gave keeps its type. */
  values(): Readonly<Record<string, unknown>>;
  /** Anything that JSON can hold; a text stays as it is, of everything else the text is its JSON. */
  set(name: string, value: unknown): void;
}

/** The variables a run begins with. */
export function createRunVariables(initial: Variables): RunVariables {
  const texts: Record<string, string> = { ...initial };
  const values: Record<string, unknown> = { ...initial };
  return {
    texts,
    values: () => ({ ...values }),
    set(name, value) {
      const held = value === undefined ? null : value;
      texts[name] = textOfValue(held);
      values[name] = held;
    },
  };
}

/** What a text shows of a value. */
export function textOfValue(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
