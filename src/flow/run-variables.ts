import type { Variables } from './variables.ts';

/** The variables of one run while it goes on: texts for flows, and for expressions the very values that were put in. */
export interface RunVariables {
  /** As `{{NAME}}` sees them. */
  readonly texts: Variables;
  /** As expressions in the page see them: what a script gave keeps its type. */
  values(): Readonly<Record<string, unknown>>;
  /** Anything that JSON can hold; a text stays as it is, of everything else the text is its JSON. */
  set(name: string, value: unknown): void;
  /** False where the variables of the run would come to hold more than any run should. */
  hasRoomFor(name: string, value: unknown): boolean;
}

/** Characters that the variables of one run may have together: each may have a million, and a flow may name thousands. */
const mostCharacters = 16_000_000;

/** Why a variable cannot be set. */
export function noRoomFor(name: string): string {
  return `${name} was not set: the variables of a run may have ${mostCharacters / 1e6} million characters together`;
}

/** The variables a run begins with. */
export function createRunVariables(initial: Variables): RunVariables {
  const texts: Record<string, string> = { ...initial };
  const values: Record<string, unknown> = { ...initial };
  let characters = Object.values(texts).reduce((sum, text) => sum + text.length, 0);
  const growth = (name: string, text: string): number =>
    text.length - (Object.hasOwn(texts, name) ? (texts[name] ?? '').length : 0);
  return {
    texts,
    values: () => ({ ...values }),
    set(name, value) {
      const held = value === undefined ? null : value;
      const text = textOfValue(held);
      characters += growth(name, text);
      texts[name] = text;
      values[name] = held;
    },
    hasRoomFor: (name, value) => characters + growth(name, textOfValue(value ?? null)) <= mostCharacters,
  };
}

/** What a text shows of a value. */
export function textOfValue(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
