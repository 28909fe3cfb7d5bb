import * as z from 'zod';

/** The value of an option that is a whole number between two others. */
export function numberOption(min: number, max: number) {
  return z.string().transform((typed, context): number => {
    const value = Number(typed);
    if (/^\d+$/.test(typed) && value >= min && value <= max) return value;
    context.addIssue({ code: 'custom', message: `"${typed}" must be a whole number from ${min} to ${max}` });
    return z.NEVER;
  });
}
