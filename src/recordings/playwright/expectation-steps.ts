import type { DraftStep } from '../lay-out-flow.ts';
import type { Place } from './element-steps.ts';
import { Unsayable } from './spell-locator.ts';

/** An `expect(...)`, taken apart. */
export interface Expectation {
  readonly matcher: string;
  readonly args: readonly unknown[];
  readonly isNegated: boolean;
  readonly isSoft: boolean;
}

/** The assertion that an expectation about a locator or a page is. Throws Unsayable for one that no assertion says. */
export function expectationStep({ matcher, args, isNegated, isSoft }: Expectation, place: Place): DraftStep {
  const { data, negate = false, options } = question(matcher, args);
  for (const name of Object.keys(options)) {
    if (!['timeout', 'ignoreCase', 'useInnerText'].includes(name))
      throw new Unsayable(`the option "${name}"`);
  }
  if (options['ignoreCase'] === true) throw new Unsayable('the option "ignoreCase"');
  return {
    type: 'assertion',
    data: {
      ...place,
      ...data,
      ...(negate === isNegated ? {} : { negate: true }),
      ...(isSoft ? { soft: true } : {}),
      ...(options['timeout'] === undefined ? {} : { timeoutMs: options['timeout'] }),
    },
  };
}

interface Question {
  data: Record<string, unknown>;
  negate?: boolean;
  options: Record<string, unknown>;
}

const yesNo: Readonly<Record<string, { subject: string; negate?: boolean; option?: string }>> = {
  toBeVisible: { subject: 'visible', option: 'visible' },
  toBeHidden: { subject: 'visible', negate: true },
  toBeEnabled: { subject: 'enabled', option: 'enabled' },
  toBeDisabled: { subject: 'enabled', negate: true },
  toBeChecked: { subject: 'checked', option: 'checked' },
  toBeEditable: { subject: 'editable', option: 'editable' },
  toBeFocused: { subject: 'focused' },
  toBeAttached: { subject: 'present', option: 'attached' },
};

function question(matcher: string, args: readonly unknown[]): Question {
  const row = Object.hasOwn(yesNo, matcher) ? yesNo[matcher] : undefined;
  if (row !== undefined) {
    const { [row.option ?? '']: wanted = true, ...options } = Object(args[0]) as Record<string, unknown>;
    return { data: { subject: row.subject }, negate: (row.negate ?? false) !== (wanted === false), options };
  }
  const [first, second, third] = args;
  const rest = (options: unknown) => ({ options: { ...(Object(options) as object) } });
  switch (matcher) {
    case 'toHaveText':
      return { data: { subject: 'text', ...compared(first, 'exact') }, ...rest(second) };
    case 'toContainText':
      return { data: { subject: 'text', ...compared(first, 'contains') }, ...rest(second) };
    case 'toHaveValue':
      return { data: { subject: 'value', ...compared(first, 'exact') }, ...rest(second) };
    case 'toBeEmpty':
      return { data: { subject: 'value', match: 'exact', value: '' }, ...rest(first) };
    case 'toHaveCount':
      return { data: { subject: 'count', value: String(first) }, ...rest(second) };
    case 'toHaveAttribute':
      if (typeof first !== 'string' || second === undefined)
        throw new Unsayable('an attribute without a value');
      return {
        data: { subject: 'attribute', attribute: first, ...compared(second, 'exact') },
        ...rest(third),
      };
    case 'toHaveId':
      return {
        data: { subject: 'attribute', attribute: 'id', ...compared(first, 'exact') },
        ...rest(second),
      };
    case 'toHaveClass':
      return {
        data: { subject: 'attribute', attribute: 'class', ...compared(first, 'exact') },
        ...rest(second),
      };
    case 'toHaveJSProperty':
      return {
        data: { subject: 'property', property: first, ...compared(String(second), 'exact') },
        ...rest(third),
      };
    case 'toHaveTitle':
      return { data: { subject: 'title', ...compared(first, 'exact') }, ...rest(second) };
    case 'toHaveURL':
      return { data: { subject: 'url', ...compared(first, 'exact') }, ...rest(second) };
    default:
      throw new Unsayable(`there is no assertion for ${matcher}()`);
  }
}

/** A text is compared as the matcher does, a pattern as what it is. */
export function compared(expected: unknown, match: string): Record<string, unknown> {
  if (expected instanceof RegExp) {
    // A slash is escaped for the sake of the literal only.
    const source = expected.source.replaceAll(/\\(.)/gs, (whole, sign: string) =>
      sign === '/' ? '/' : whole,
    );
    const odd = expected.flags.replaceAll(/[us]/g, '');
    if (odd === 'i') return { match: 'matches', value: inAnyCase(source) };
    if (odd !== '') throw new Unsayable(`a pattern with the flags "${expected.flags}"`);
    return { match: 'matches', value: source };
  }
  if (typeof expected !== 'string') throw new Unsayable('an expected value that is no text');
  return { match, value: expected };
}

/** Patterns of a flow have no flags: a letter outside of escapes and classes becomes a class of both its cases. */
function inAnyCase(source: string): string {
  if (/[[\](?]|\\[pPkucx]/.test(source)) throw new Unsayable(`the pattern /${source}/i`);
  return source.replaceAll(/\\.|[a-z]/gi, (found) =>
    found.length === 2 ? found : `[${found.toLowerCase()}${found.toUpperCase()}]`,
  );
}
