import type { EventPosition } from './events/event-log.ts';

/**
 * What a hint is about: a run has new events, a workspace has runs to grant, a runner should look at its orders.
 * A hint says "look", never what is true; losing one costs time only. One about a run may say that it is over, or the
 * position of its last update, so that who wants only that need not look for the rest.
 */
export type Hint =
  | { about: 'run'; runId: string; isOver?: true | undefined; position?: EventPosition | undefined }
  | { about: 'ready'; workspace: string; labels: readonly string[] }
  | { about: 'runner'; runnerId: string; leaseId: string | null };

/** Wakes those who wait for something to look at: within this process, and among bridges that share their stores. */
export interface Hints {
  /** True when a listener takes what the hint is about, so that nobody else needs to look. */
  publish(hint: Hint): boolean;
  /**
   * Calls `listener` for every hint until the returned function is called. It must not throw, and returns true only when
   * it takes what the hint is about.
   */
  subscribe(listener: (hint: Hint) => unknown): () => void;
}
