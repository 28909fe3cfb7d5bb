/** One call of a locator chain, as `getByRole('button', { name: 'Buy' })`. Values are texts, numbers, RegExp, or locators again. */
export interface LocatorCall {
  readonly method: string;
  readonly args: readonly unknown[];
}

/** A locator: its page's name in the script, and the calls that lead from there. */
export interface LocatorPath {
  readonly page: string;
  readonly calls: readonly LocatorCall[];
}

/** Where a step acts, as fields of its `data`. */
export interface SpelledLocator {
  readonly selector: string;
  readonly frame?: readonly string[];
}

/** Why a script says something that no step of ours does. */
export class Unsayable extends Error {}

/** True for a locator among the values of a script. */
export function isLocatorPath(value: unknown): value is LocatorPath {
  return typeof value === 'object' && value !== null && Array.isArray(Reflect.get(value, 'calls'));
}

/** A locator chain as selector and frames. Throws Unsayable for what has no spelling. */
export function spellLocator({ calls }: LocatorPath): SpelledLocator {
  const frames: string[] = [];
  let parts: string[] = [];
  const leaveToFrame = (): void => {
    if (parts.length === 0) throw new Unsayable('a frame without a selector');
    frames.push(parts.join(' >> '));
    parts = [];
  };
  for (const { method, args } of calls) {
    if (method === 'contentFrame') leaveToFrame();
    else if (method === 'frameLocator') {
      parts.push(...spellCall({ method: 'locator', args }, ours));
      leaveToFrame();
    } else parts.push(...spellCall({ method, args }, ours));
  }
  if (parts.length === 0) throw new Unsayable('a frame without an element in it');
  return { selector: parts.join(' >> '), ...(frames.length === 0 ? {} : { frame: frames }) };
}

/** How a kind of selector is spelled for the flow, and how within another selector, where only Playwright reads it. */
interface Spelling {
  text(body: unknown, isExact: boolean): string;
  role(role: string, attributes: string): string;
  label(body: unknown, isExact: boolean): string;
  attribute(name: string, body: unknown, isExact: boolean): string;
  testId(body: unknown): string;
}

const native: Spelling = {
  text: (body, isExact) => `internal:text=${quoted(body, isExact)}`,
  role: (role, attributes) => `internal:role=${role}${attributes}`,
  label: (body, isExact) => `internal:label=${quoted(body, isExact)}`,
  attribute: (name, body, isExact) => `internal:attr=[${name}=${quoted(body, isExact)}]`,
  testId: (body) => `internal:testid=[data-testid=${quoted(body, true)}]`,
};

const ours: Spelling = {
  text: (body, isExact) => plain('text', body, isExact) ?? native.text(body, isExact),
  role: (role, attributes) => `role=${role}${attributes}`,
  label: (body, isExact) => plain('label', body, isExact) ?? native.label(body, isExact),
  attribute: (name, body, isExact) => plain(name, body, isExact) ?? native.attribute(name, body, isExact),
  testId: (body) =>
    typeof body === 'string' && /^[\w.:-]+$/.test(body)
      ? `testid=${body}`
      : (plain('testid', body, true) ?? native.testId(body)),
};

/** `label=Name` for a part of it in any case, `label="Name"` for the whole; null where that would be read as something else. */
function plain(engine: string, body: unknown, isExact: boolean): string | null {
  if (typeof body !== 'string') return null;
  if (isExact) return `${engine}="${escaped(body)}"`;
  return body !== body.trim() || /^\/|["'`\\]|>>|^$/.test(body) ? null : `${engine}=${body}`;
}

function spellCall({ method, args }: LocatorCall, spelling: Spelling): string[] {
  const [body] = args;
  const options = Object(args[1]) as Record<string, unknown>;
  const isExact = options['exact'] === true;
  switch (method) {
    case 'locator':
      return [...located(body, spelling), ...filters(options)];
    case 'filter':
      return filters(Object(body) as Record<string, unknown>);
    case 'getByRole':
      return [spelling.role(textOf(body, 'the role'), roleAttributes(options))];
    case 'getByText':
      return [spelling.text(pattern(body), isExact)];
    case 'getByLabel':
      return [spelling.label(pattern(body), isExact)];
    case 'getByPlaceholder':
      return [spelling.attribute('placeholder', pattern(body), isExact)];
    case 'getByAltText':
      return [spelling.attribute('alt', pattern(body), isExact)];
    case 'getByTitle':
      return [spelling.attribute('title', pattern(body), isExact)];
    case 'getByTestId':
      return [spelling.testId(pattern(body))];
    case 'first':
      return ['nth=0'];
    case 'last':
      return ['nth=-1'];
    case 'nth':
      if (typeof body !== 'number') throw new Unsayable('nth() without a number');
      return [`nth=${body}`];
    case 'and':
      return [`internal:and=${within(body)}`];
    case 'or':
      return [`internal:or=${within(body)}`];
    default:
      throw new Unsayable(`there is no selector for ${method}()`);
  }
}

function located(body: unknown, spelling: Spelling): string[] {
  if (isLocatorPath(body)) return body.calls.flatMap((call) => spellCall(call, spelling));
  return [textOf(body, 'the selector')];
}

function filters(options: Record<string, unknown>): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    switch (name) {
      case 'hasText':
        return [`internal:has-text=${quoted(pattern(value), false)}`];
      case 'hasNotText':
        return [`internal:has-not-text=${quoted(pattern(value), false)}`];
      case 'has':
        return [`internal:has=${within(value)}`];
      case 'hasNot':
        return [`internal:has-not=${within(value)}`];
      case 'visible':
        return [`visible=${String(value)}`];
      default:
        throw new Unsayable(`the locator option "${name}"`);
    }
  });
}

function within(value: unknown): string {
  if (!isLocatorPath(value)) throw new Unsayable('a filter without a locator');
  return JSON.stringify(value.calls.flatMap((call) => spellCall(call, native)).join(' >> '));
}

function roleAttributes(options: Record<string, unknown>): string {
  const { name, exact, ...others } = options;
  // Within `role=`, `=` compares the whole name whatever the case; getByRole takes a part of it.
  const operator = exact === true || name instanceof RegExp ? '=' : '*=';
  const named = name === undefined ? '' : `[name${operator}${quoted(pattern(name), exact === true)}]`;
  const rest = Object.entries(others).map(([option, value]) => {
    if (typeof value !== 'boolean' && typeof value !== 'number' && typeof value !== 'string') {
      throw new Unsayable(`the role option "${option}"`);
    }
    return `[${option === 'includeHidden' ? 'include-hidden' : option}=${String(value)}]`;
  });
  return named + rest.join('');
}

/** As Playwright quotes in selectors: `i` is a part of the text in any case, `s` all of it. */
function quoted(body: unknown, isExact: boolean): string {
  return body instanceof RegExp ? String(body) : `"${escaped(String(body))}"${isExact ? 's' : 'i'}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
}

function pattern(value: unknown): string | RegExp {
  if (value instanceof RegExp || typeof value === 'string') return value;
  throw new Unsayable('a locator whose text is computed');
}

function textOf(value: unknown, what: string): string {
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw new Unsayable(`${what} is computed`);
}
