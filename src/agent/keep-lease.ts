import type { Clock } from '../lib/clock.ts';
import { CancelledError, RunInterruptedError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { limits } from '../protocol/limits.ts';
import type { Lease } from '../protocol/messages.ts';
import type { BridgeClient } from './bridge-client.ts';
import { type RetryDeps, withRetry } from './retry.ts';
import { createWakeUp } from './wake-up.ts';

/** The bridge's deadline for the run is over. */
export class RunTimeoutError extends CancelledError {}

export interface KeepLeaseDeps extends RetryDeps {
  client: BridgeClient;
  clock: Clock;
  log: Log;
  /** The step being executed. */
  currentNodeId(): string | null;
  /**
   * The run must stop: LeaseLostError (it is somebody else's), RunInterruptedError (it may be, nobody could be asked),
   * CancelledError, RunTimeoutError, or what no runner can go on with.
   */
  onEnd(reason: Error): void;
  /** `drain`: the bridge wants this runner to take no further runs. */
  onDrain(): void;
}

/** A lease that is being kept. */
export interface KeptLease {
  /** Resolves with the first acknowledged heartbeat: from then on steps may act. Rejects when that does not come. */
  readonly taken: Promise<void>;
  /** Heartbeats now, e.g. because orders are waiting. */
  beatNow(): void;
  /** Ends heartbeats and timers; resolves when nothing is left of them. */
  stop(): Promise<void>;
}

/** One heartbeat is given up after this and sent again: a connection may hang. */
const attemptTimeoutMs = 10_000;

/**
 * Heartbeats at once and then every `heartbeatMs` minus jitter, tried again within. When no heartbeat *sent* within the
 * last `ttlMs` minus 5 s was acknowledged, the run is fenced: the lease may soon be somebody else's. Only the monotonic
 * clock counts.
 */
export function keepLease(lease: Lease, deps: KeepLeaseDeps): KeptLease {
  const { client, clock, log, random } = deps;
  const stopping = new AbortController();
  const { leaseId, fence, heartbeatMs } = lease;
  const receivedMs = clock.monotonicMs();
  let ttlMs = lease.ttlMs;
  let acknowledgedSentMs = receivedMs;
  let deadlineMs = receivedMs + lease.remainingMs;
  const pause = createWakeUp(clock);
  let isBeatWanted = false;
  let isOver = false;
  let settleTaken: { resolve(): void; reject(reason: Error): void } | null = null;
  const taken = new Promise<void>((resolve, reject) => {
    settleTaken = { resolve, reject };
  });
  taken.catch(() => {});

  const loops = Promise.all([beat(), watch()]);
  return {
    taken,
    beatNow() {
      isBeatWanted = true;
      pause.wake();
    },
    async stop() {
      isOver = true;
      stopping.abort();
      settleTaken?.reject(new CancelledError('the lease is over'));
      await loops;
    },
  };

  async function beat(): Promise<void> {
    try {
      while (!isOver) {
        isBeatWanted = false;
        const { orders } = await withRetry(
          sendHeartbeat,
          {
            signal: stopping.signal,
            baseMs: 500,
            capMs: Math.min(5_000, heartbeatMs),
            onRetry: ({ message }) => log.warn(`a heartbeat was not acknowledged: ${message}`, { leaseId }),
          },
          deps,
        );
        if (orders.includes('drain')) deps.onDrain();
        if (orders.includes('cancel')) end(new CancelledError('the run was cancelled'));
        else settleTaken?.resolve();
        if (!isBeatWanted) await pause.sleep(heartbeatMs * (0.8 + 0.2 * random()), stopping.signal);
      }
    } catch (error) {
      if (!isOver) end(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async function sendHeartbeat(): Promise<{ orders: string[] }> {
    const sentMs = clock.monotonicMs();
    const answer = await client.call('heartbeat', {
      params: { leaseId },
      body: { fence, nodeId: deps.currentNodeId() },
      signal: stopping.signal,
      timeoutMs: Math.min(attemptTimeoutMs, ttlMs / 3),
    });
    acknowledgedSentMs = sentMs;
    ttlMs = answer.ttlMs;
    deadlineMs = sentMs + answer.remainingMs;
    return answer;
  }

  async function watch(): Promise<void> {
    while (!isOver) {
      const nowMs = clock.monotonicMs();
      const fenceMs = acknowledgedSentMs + ttlMs - Math.min(limits.fenceMarginMs, ttlMs / 3);
      if (nowMs >= fenceMs) {
        return end(
          new RunInterruptedError(
            `no heartbeat was acknowledged for ${Math.round((nowMs - acknowledgedSentMs) / 1_000)} s`,
          ),
        );
      }
      if (nowMs >= deadlineMs) {
        return end(new RunTimeoutError('the run took longer than the bridge allows'));
      }
      await clock.sleep(Math.min(fenceMs, deadlineMs) - nowMs, stopping.signal).catch(() => {});
    }
  }

  function end(reason: Error): void {
    if (isOver) return;
    // Heartbeats go on after a cancel or a time-out, so that the lease is ours until its result is in.
    if (!(reason instanceof CancelledError)) {
      isOver = true;
      stopping.abort();
    }
    settleTaken?.reject(reason);
    deps.onEnd(reason);
  }
}
