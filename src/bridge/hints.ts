/**
 * What a hint is about: a run has new events, a workspace has runs to grant, a runner should look at its orders.
 * A hint says "look", never what is true; losing one costs time only.
 */
export type Hint =
  | { about: 'run'; runId: string }
  | { about: 'ready'; workspace: string; labels: readonly string[] }
  | { about: 'runner'; runnerId: string; leaseId: string | null };

/** Wakes those who wait for something to look at. In-process in the embedded default. */
export interface Hints {
  publish(hint: Hint): void;
  /** Calls `listener` for every hint until the returned function is called. A listener must not throw. */
  subscribe(listener: (hint: Hint) => void): () => void;
}
