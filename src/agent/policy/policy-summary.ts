import { printable } from '../../lib/printable.ts';
import type { LocalPolicy } from './local-policy.ts';

/** The rules of a policy on one line, as they stand in its file: `hosts *.corp.example; uploads false`. */
export function policySummary({ written }: Pick<LocalPolicy, 'written'>): string {
  const rules = Object.entries(written).map(([field, value]) => `${field} ${[value].flat().join(', ')}`);
  return rules.length === 0 ? 'no rules' : printable(rules.join('; '));
}
