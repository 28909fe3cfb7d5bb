/** Why a step cannot be said in a Playwright test. */
export class Unwritable extends Error {}

/** A text as JavaScript, with `{{NAME}}` read from the test's variables. */
export function textCode(value: unknown): string {
  const text = String(value);
  const parts = text.split(/\{\{\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*\}\}/);
  if (parts.length === 1) return quoted(text);
  if (parts.length === 3 && parts[0] === '' && parts[2] === '') return variableCode(parts[1] ?? '');
  const body = parts.map((part, index) => (index % 2 === 1 ? `\${${variableCode(part)}}` : inTemplate(part)));
  return `\`${body.join('')}\``;
}

/** Where a variable stands in the test. */
export function variableCode(name: string): string {
  return isIdentifier(name) ? `variables.${name}` : `variables[${quoted(name)}]`;
}

/** An object, its texts with variables; fields without a value are left out. Empty for an empty one. */
export function objectCode(fields: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  if (given.length === 0) return '';
  return `{ ${given.map(([name, value]) => `${isIdentifier(name) ? name : quoted(name)}: ${valueCode(value)}`).join(', ')} }`;
}

/** Any JSON as JavaScript. */
export function valueCode(value: unknown): string {
  if (typeof value === 'string') return textCode(value);
  if (Array.isArray(value)) return `[${value.map(valueCode).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return objectCode(value as Record<string, unknown>) || '{}';
  return String(value);
}

/** A regular expression; one with variables in it is made when the test runs. */
export function patternCode(source: string): string {
  if (source.includes('{{')) return `new RegExp(${textCode(source)})`;
  return String(new RegExp(source));
}

/** Arguments of a call, those without code left out. */
export function argumentsCode(...codes: readonly string[]): string {
  return codes.filter((code) => code !== '').join(', ');
}

/** A flag; forms give them as text. */
export function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}

function quoted(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inner}'`;
}

function inTemplate(text: string): string {
  return text
    .replaceAll(/[\\`]|\$\{/g, (found) => `\\${found}`)
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
}

function isIdentifier(name: string): boolean {
  return /^[A-Za-z_]\w*$/.test(name);
}
