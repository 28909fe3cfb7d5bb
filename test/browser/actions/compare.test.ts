import { describe, expect, it } from 'vitest';
import { comparisonWith, type Match } from '../../../src/browser/actions/compare.ts';

describe('a comparison', () => {
  it.each<[Match, string, string, boolean]>([
    ['exact', ' a \n b ', 'a b', true],
    ['exact', 'a b', 'a bc', false],
    ['exact', '', '\u200b', true],
    ['contains', 'b  c', 'a b\nc d', true],
    ['contains', 'B', 'a b', false],
    ['startsWith', 'a b', ' a\tb c', true],
    ['startsWith', 'b', 'a b', false],
    ['endsWith', 'c', 'a b c ', true],
    ['endsWith', 'b', 'a b c', false],
    ['matches', '^a b$', ' a\n b ', true],
    ['matches', 'a\\n b', 'a\n b', true],
    ['matches', '^\\p{Lu}', 'Äb', true],
    ['matches', '\\-x', '-x', true],
    ['matches', '^b', 'ab', false],
    ['atLeast', '3', ' 3 ', true],
    ['atLeast', '3', '10', true],
    ['atLeast', '3', '2.5', false],
    ['atMost', '-1', '-1.5', true],
    ['atMost', '3', '4', false],
    ['atMost', '3', '', false],
    ['atLeast', '3', 'many', false],
  ])('%s %j of %j: %s', (match, value, got, holds) => {
    expect(comparisonWith(value, match)(got)).toBe(holds);
  });

  it('is never true of what is not there', () => {
    for (const match of ['exact', 'contains', 'startsWith', 'endsWith', 'matches'] as const) {
      expect(comparisonWith('', match)(null), match).toBe(false);
    }
    expect(comparisonWith('-1', 'atLeast')(null)).toBe(false);
  });

  it('refuses a value that means nothing', () => {
    expect(() => comparisonWith('many', 'atLeast')).toThrow(
      'value: "many" is no number, as atLeast needs it',
    );
    expect(() => comparisonWith('(', 'matches')).toThrow('value: is no regular expression');
  });

  it('ends a regular expression that would take years', () => {
    const text = `${'a'.repeat(60)}b`;
    expect(() => comparisonWith('^(a+)+$', 'matches')(text)).toThrow(
      'value: the regular expression ^(a+)+$ took longer than 250 ms',
    );
  });
});
