import type * as z from 'zod';

/**
 * Where a secret goes that stands in a step: into the field it is typed into, into an address that is opened, to the page that
 * it is looked for in, or nowhere, for a step that would only carry it on.
 */
type SecretUse = 'element' | 'address' | 'page' | 'never';

/** A row of the table of node types. */
export interface NodeTypeEntry {
  /** Other spellings of the type, in small letters, and the fields each of them stands for; case never matters. */
  readonly aliases: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Other names of a field of `data`, as editors write them: our name -> theirs, used where ours is absent. */
  readonly fieldAliases: Readonly<Record<string, readonly string[]>>;
  /** True when running the step twice may do something twice on the tested site. */
  readonly hasSideEffects: boolean;
  /** `always`: the step needs a selector; `sometimes`: {@link faults} says when. */
  readonly needsTarget: 'always' | 'sometimes' | 'never';
  /** Time budget where the step says none, in ms. Source: Playwright's defaults for navigation and expect; 10 s for acting. */
  readonly defaultTimeoutMs: number;
  readonly secrets: SecretUse;
  /** Names of the edges that lead out of such a node, for a node that branches; the last one goes on behind it. */
  readonly branches?: readonly string[];
  /** What it does, in one sentence for the documents. */
  readonly summary: string;
  readonly data: z.ZodObject;
  /** What is wrong with its fields together, naming them; each may still hold a `{{VAR}}`. */
  readonly faults?: (fields: Readonly<Record<string, unknown>>) => readonly string[];
}

/** Longest a step may take that acts on an element. */
export const actionTimeoutMs = 10_000;
/** Longest a page may take to load. */
export const navigationTimeoutMs = 30_000;
/** Longest an assertion waits until it holds. */
export const assertionTimeoutMs = 5_000;

/** Names that other editors give to the time budget. */
export const timeoutAlias = { timeoutMs: ['timeout'] } as const;

/** What a row has that acts on no element, does nothing twice and takes no secret. Rows that differ say so behind it. */
export const withoutElement = {
  fieldAliases: timeoutAlias,
  hasSideEffects: false,
  needsTarget: 'never',
  defaultTimeoutMs: actionTimeoutMs,
  secrets: 'never',
} as const;
