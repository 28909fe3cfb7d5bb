/** Sizes and times both sides hold to. Source: system.md §2, §3 and §5. */
export const limits = {
  /** Bytes of a flow (nodes, edges and variables as JSON), and of every request body unless its route says otherwise. */
  flowBytes: 1024 * 1024,
  /** Bytes of a request body that carries no flow and no result. */
  smallBodyBytes: 64 * 1024,
  /** Bytes of one screenshot. */
  artifactBytes: 5 * 1024 * 1024,
  /** Steps of one run. */
  steps: 2_000,
  /** Characters of a step's `error` or `logs`, longer ones are cut by the runner. */
  textLength: 8_000,
  /** Step events of one attempt: two for each step. A runner that tells more would fill what keeps them. */
  eventsPerAttempt: 4_000,
  /** Events in one batch; a batch is also closed at {@link limits.eventBatchBytes}. */
  eventsPerBatch: 200,
  eventBatchBytes: 32 * 1024,
  /** Longest a poll may wait, and what a runner asks for. */
  pollWaitMs: 25_000,
  /** A grant that is not acknowledged by a heartbeat within this time goes to somebody else. */
  offerMs: 5_000,
  heartbeatMs: 15_000,
  leaseTtlMs: 60_000,
  /** The runner stops acting this long before the lease's end, on its monotonic clock. */
  fenceMarginMs: 5_000,
  /** The bridge grants the run again only this long after the lease's end. */
  releaseGapMs: 15_000,
  /** Longest run; the bridge owns this deadline. */
  runMs: 15 * 60_000,
  /** Grants a run may use up before it fails. */
  attempts: 3,
  pairingCodeMs: 5 * 60_000,
  uploadUrlMs: 5 * 60_000,
} as const;

/** Version of the wire. A side that cannot speak the other's answers 426 `upgrade_required`. */
export const protocolVersion = 1;

/** The first release that speaks this version of the wire, and its day. */
export const protocolBegan = { release: '1.1.0', on: '2026-11-24' } as const;
