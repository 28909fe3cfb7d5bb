import type { ImportContext } from './import-context.ts';
import { NotKept } from './not-kept.ts';

/** The text that a command expects, and how it is compared: `exact:`, `glob:` and `regexp:` in front, as the first IDE had them. */
export function textPattern(written: string, context: ImportContext): { value: string; match?: 'matches' } {
  const [, kind, pattern] = /^\s*(exact|glob|regexpi|regexp):(.*)$/s.exec(written) ?? [];
  if (kind === undefined || pattern === undefined) return { value: context.text(written) };
  if (kind === 'exact') return { value: context.text(pattern) };
  if (kind === 'regexpi')
    throw new NotKept('a regular expression of ours does not leave the case of letters open');
  // Its backslashes are those of the expression.
  const value = context.text(pattern.replaceAll('\\', '\\\\'));
  if (kind === 'regexp') return { value, match: 'matches' };
  const parts = context.text(pattern).split(/(\{\{[^{}]*\}\}|[*?])/);
  const source = parts.map((part, index) => (index % 2 === 0 ? escaped(part) : (wildcards[part] ?? part)));
  return { value: `^${source.join('')}$`, match: 'matches' };
}

const wildcards: Readonly<Record<string, string>> = { '*': '[\\s\\S]*', '?': '[\\s\\S]' };

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
