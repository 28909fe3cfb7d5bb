import { z } from 'zod';

/** `NAME=value` of a repeatable option as a pair; the value may be empty and hold further `=`. */
export const nameValue = z.string().transform((text, context): [string, string] => {
  const [, name, value] = /^([A-Za-z_][A-Za-z0-9_.-]{0,99})=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    context.addIssue({ code: 'custom', message: `"${text}" is not NAME=value` });
    return z.NEVER;
  }
  return [name, value];
});
