/** How a lease ended. */
export type LeaseEnd =
  /** The bridge has the result; `status` is what the run's row says now. */
  | { kind: 'delivered'; status: string }
  /** Handed back unfinished. */
  | { kind: 'released'; reason: string }
  /** Somebody else's by now, or not wanted; everything of it was dropped. */
  | { kind: 'lost'; why: string }
  /** Still owed: delivered later, by the next start where it is on disk. */
  | { kind: 'kept'; why: string; isOnDisk: boolean };
