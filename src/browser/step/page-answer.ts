import { StepFailure } from './step-error.ts';

/** Tells whether a value is of one type. */
export type Is<Type> = (value: unknown) => value is Type;

/**
 * What a page gave, once it is known to be what was asked for. What runs in a page runs among things that the page may have
 * replaced, so its answer may be anything. Throws StepFailure `internal`.
 */
export function answerAs<Type>(is: Is<Type>, answer: unknown): Type {
  if (is(answer)) return answer;
  throw senseless();
}

/** The value of a JSON text that was made in a page. Throws StepFailure `internal` where it is none. */
export function jsonOfPage(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw senseless();
  }
}

function senseless(): StepFailure {
  return new StepFailure(
    'internal',
    'the page gave an answer that makes no sense: it has replaced something that every page has',
  );
}

export const isText: Is<string> = (value) => typeof value === 'string';
export const isNumber: Is<number> = (value) => typeof value === 'number';
export const isTruth: Is<boolean> = (value) => typeof value === 'boolean';

export function orNull<Type>(is: Is<Type>): Is<Type | null> {
  return (value): value is Type | null => value === null || is(value);
}

export function orAbsent<Type>(is: Is<Type>): Is<Type | undefined> {
  return (value): value is Type | undefined => value === undefined || is(value);
}

export function oneOf<Type>(...kinds: readonly Is<Type>[]): Is<Type> {
  return (value): value is Type => kinds.some((is) => is(value));
}

export function listOf<Type>(is: Is<Type>): Is<Type[]> {
  return (value): value is Type[] => Array.isArray(value) && value.every(is);
}

/** An object that has these fields; others do not matter. */
export function objectOf<Type>(
  fields: {
    readonly [Name in keyof Type]-?: Is<Type[Name]> | Is<Type[Name] | undefined>;
  },
): Is<Type> {
  return (value): value is Type =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries<Is<unknown>>(fields).every(([name, is]) => is(Reflect.get(value, name)));
}
