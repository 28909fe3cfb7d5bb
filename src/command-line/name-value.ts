import * as z from 'zod';
import { variableNamePattern } from '../lib/variable-name.ts';

const assignment = new RegExp(`^(${variableNamePattern})=(.*)$`, 's');

/** `NAME=value` of a repeatable option as a pair; the value may be empty and hold further `=`. */
export const nameValue = z.string().transform((text, context): [string, string] => {
  const [, name, value] = assignment.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    context.addIssue({ code: 'custom', message: `"${text}" is not NAME=value` });
    return z.NEVER;
  }
  return [name, value];
});
