import * as z from 'zod';

/** Cookies and local storage as a `storageState` step saves them; Playwright's own files of that kind are alike. */
export type SavedState = z.output<typeof stateSchema>;

/** What a file holds that such a step has saved; null for anything else. */
export function readSavedState(text: string): SavedState | null {
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

const stateSchema = z.object({
  cookies: z
    .array(
      z.object({
        name: z.string(),
        value: z.string(),
        domain: z.string(),
        path: z.string(),
        expires: z.number(),
        httpOnly: z.boolean(),
        secure: z.boolean(),
        sameSite: z.enum(['Strict', 'Lax', 'None']),
      }),
    )
    .max(5_000),
  origins: z
    .array(
      z.object({
        origin: z.string(),
        localStorage: z.array(z.object({ name: z.string(), value: z.string() })).max(10_000),
      }),
    )
    .max(500),
});
