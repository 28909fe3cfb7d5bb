import { limits } from '../protocol/limits.ts';

/** All durations (ms) and counts the bridge decides by. Tests give shorter ones. */
export const defaultTiming = {
  offerMs: limits.offerMs as number,
  heartbeatMs: limits.heartbeatMs as number,
  leaseTtlMs: limits.leaseTtlMs as number,
  releaseGapMs: limits.releaseGapMs as number,
  runMs: limits.runMs as number,
  /** Attempts of a run before it fails. */
  attempts: limits.attempts as number,
  /** Times a run may be handed back before a step started without using up an attempt. */
  freeHandbacks: 10,
  /** Wait before a run that a runner could not start is granted again; doubled with each handback. */
  handbackDelayMs: 1_000,
  /** How often leases are looked over for missed acknowledgements, expiry and deadlines. */
  sweepMs: 1_000,
  /** A runner that drains gets its empty answer after this, so that it cannot poll in a tight loop. */
  drainingPollMs: 1_000,
  /** Comment line on an idle event stream, below the 30 s after which many proxies cut. */
  streamHeartbeatMs: 15_000,
  /** A stream looks for new events at least this often, should a wake-up have been lost. */
  streamRereadMs: 5_000,
  /** How long a bridge that starts waits for servers that start beside it. */
  serverPatienceMs: 30_000,
  pairingCodeMs: limits.pairingCodeMs as number,
  /** How long an operator may take to approve, and the runner to fetch its key afterwards. */
  pairingMs: 15 * 60_000,
  claimPollMs: 2_000,
  /** Life of a runner's key. Source: system.md, "Requests" (rotation starts at 2/3 of it). */
  keyLifeMs: 90 * 86_400_000,
  /** The old key still verifies this long after the first use of the new one: requests are under way. */
  keyGraceMs: 60_000,
  uploadUrlMs: limits.uploadUrlMs as number,
} as const;

export type Timing = { readonly [Name in keyof typeof defaultTiming]: number };
