import * as z from 'zod';
import { type HostPattern, parseHostPattern } from '../../lib/host-pattern.ts';
import { Secret } from '../../lib/secret.ts';

// How the values of settings are written.

/** A text, trimmed; null when it is not set. Set to nothing counts as not set: compose files write `${X:-}`. */
export const optionalText = z
  .string()
  .optional()
  .transform((text) => (text === undefined || text.trim() === '' ? null : text.trim()));

/** A whole number within limits, or null. */
export const wholeNumber = (least: number, most: number) =>
  optionalText
    .refine(
      (text) => text === null || (/^\d{1,7}$/.test(text) && Number(text) >= least && Number(text) <= most),
      `must be a whole number from ${least} to ${most}`,
    )
    .transform((text) => (text === null ? null : Number(text)));

/** A secret of at least so many characters, or null. */
export const secretOfLength = (minimum: number) =>
  optionalText
    .refine((text) => text === null || text.length >= minimum, `must have at least ${minimum} characters`)
    .transform((text) => (text === null ? null : new Secret(text)));

/** `true` or `false`; false when it is not set. */
export const yesOrNo = optionalText
  .refine((text) => text === null || text === 'true' || text === 'false', 'must be true or false')
  .transform((text) => text === 'true');

/** Texts separated by commas, without empty ones. */
export const list = optionalText.transform((text) =>
  (text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** A transform for `parse`, which throws a text that says what is wrong; null stays null. */
export function parsedBy<Value>(parse: (text: string) => Value) {
  return <Text extends string | null>(text: Text, context: z.RefinementCtx): Value | Extract<Text, null> => {
    try {
      return text === null ? (text as Extract<Text, null>) : parse(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  };
}

/** Hosts as rules name them, separated by commas; empty when nothing is set. */
export const hostPatterns = list.transform((texts, context): readonly HostPattern[] =>
  texts.map((text) => parsedBy(parseHostPattern)(text, context)),
);
