import type { Clock } from '../../lib/clock.ts';
import { span } from '../../lib/duration.ts';
import { CancelledError, RunInterruptedError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { limits } from '../../protocol/limits.ts';
import type { Lease } from '../../protocol/messages.ts';
import type { BridgeClient } from '../client/bridge-client.ts';
import { refusedForNow } from '../client/bridge-errors.ts';
import { type RetryDeps, withRetry } from '../client/retry.ts';
import { createWakeUp } from '../wake-up.ts';

/** The bridge's deadline for the run is over. */
export class RunTimeoutError extends CancelledError {}

export interface KeepLeaseDeps extends RetryDeps {
  client: BridgeClient;
  clock: Clock;
  log: Log;
  /** The step being executed. */
  currentNodeId(): string | null;
  /** False while hints about orders may not get through: heartbeats then come often enough to bring them in time. */
  areHintsHeard(): boolean;
  /**
   * The run must stop: LeaseLostError (it is somebody else's), RunInterruptedError (it may be, nobody could be asked),
   * CancelledError, RunTimeoutError, or what no runner can go on with.
   */
  onEnd(reason: Error): void;
  /** With each answer: whether the bridge gives this runner no further runs. */
  onDrainOrder(isOrdered: boolean): void;
  /** Once, before the run is stopped by it. */
  onCancelOrder(): void;
}

/** A lease that is being kept. */
export interface KeptLease {
  /** Resolves with the first acknowledged heartbeat: from then on steps may act. Rejects when that does not come. */
  readonly taken: Promise<void>;
  /**
   * Throws the reason when the lease is over by the clock, or was ended before. For the moment right before something acts:
   * after a pause of this process, timers and answers may come later than what acts.
   */
  ensureOurs(): void;
  /** Heartbeats now, e.g. because orders are waiting. */
  beatNow(): void;
  /** Ends heartbeats and timers; resolves when nothing is left of them. */
  stop(): Promise<void>;
}

/** One heartbeat is given up after this and sent again: a connection may hang. */
const attemptTimeoutMs = 10_000;
/** How often the clock is looked at: no timer fires when a machine wakes, only later. */
const lookMs = 250;
/** A look that comes this much too late is told: a busy machine is late by less. */
const stoodStillMs = 3_000;
/** Longest pause between heartbeats while hints are not heard: an operator's cancel must reach a step within 5 s. */
const unheardBeatMs = 4_000;

/**
 * Heartbeats at once and then every `heartbeatMs` minus jitter, tried again within. When no heartbeat *sent* within the
 * last `ttlMs` minus 5 s was acknowledged, the run is fenced: the lease may soon be somebody else's. Only the monotonic
 * clock counts, time asleep included. Heartbeats end with the fence: one that came through later would keep from others
 * a run that nobody executes.
 */
export function keepLease(lease: Lease, deps: KeepLeaseDeps): KeptLease {
  const { client, clock, log, random } = deps;
  const stopping = new AbortController();
  const { leaseId, fence, heartbeatMs } = lease;
  const receivedMs = clock.monotonicWithSleepMs();
  let ttlMs = lease.ttlMs;
  let acknowledgedSentMs = receivedMs;
  let deadlineMs = receivedMs + lease.remainingMs;
  let lookedAtMs = receivedMs;
  /** The last time this machine or process did nothing for a while. */
  let pauseSeen: { ms: number; endedAtMs: number } | null = null;
  const pause = createWakeUp(clock);
  /** Told once: what comes next, an answer or the fence, is near and is told as well. */
  let isSilenceTold = false;
  let isBeatWanted = false;
  let isOver = false;
  let ended: Error | null = null;
  let settleTaken: { resolve(): void; reject(reason: Error): void } | null = null;
  const taken = new Promise<void>((resolve, reject) => {
    settleTaken = { resolve, reject };
  });
  taken.catch(() => {});

  const loops = Promise.all([beat(), watch()]);
  return {
    taken,
    ensureOurs() {
      look();
      if (ended !== null) throw ended;
    },
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
            // Whoever asks for more patience, a proxy or a bridge, would have the run ended for it.
            retryAfterCapMs: Math.min(heartbeatMs, ttlMs / 4),
            onRetry: ({ message }) => tellSilence(message),
          },
          deps,
        );
        // An answer may have waited here while this machine slept: what it allows may be over.
        look();
        if (isOver) return;
        deps.onDrainOrder(orders.includes('drain'));
        if (orders.includes('cancel')) cancel();
        else settleTaken?.resolve();
        if (!isBeatWanted) await pause.sleep(nextBeatMs(), stopping.signal);
      }
    } catch (error) {
      if (!isOver) end(error instanceof Error ? error : new Error(String(error)));
    }
  }

  function nextBeatMs(): number {
    // A bridge that was started anew may have shortened the ttl since the lease was given.
    const longestMs = Math.min(heartbeatMs, ttlMs / 4);
    return (deps.areHintsHeard() ? longestMs : Math.min(longestMs, unheardBeatMs)) * (0.8 + 0.2 * random());
  }

  async function sendHeartbeat(): Promise<{ orders: string[] }> {
    const sentMs = clock.monotonicWithSleepMs();
    const answer = await client
      .call('heartbeat', {
        params: { leaseId },
        body: { fence, nodeId: deps.currentNodeId() },
        signal: stopping.signal,
        timeoutMs: Math.min(attemptTimeoutMs, ttlMs / 3),
      })
      .catch((error: unknown) => {
        throw refusedForNow(error, 'a heartbeat');
      });
    acknowledgedSentMs = sentMs;
    if (isSilenceTold) log.info('heartbeats are acknowledged again', { leaseId });
    isSilenceTold = false;
    ttlMs = answer.ttlMs;
    deadlineMs = sentMs + answer.remainingMs;
    return answer;
  }

  function tellSilence(message: string): void {
    if (isSilenceTold) return;
    isSilenceTold = true;
    const leftMs = Math.max(0, fenceMs() - clock.monotonicWithSleepMs());
    const what = 'a heartbeat was not acknowledged';
    log.warn(`${what}: ${message}; the lease is given up if none is within ${span(leftMs)}`, { leaseId });
  }

  async function watch(): Promise<void> {
    while (!isOver) {
      look();
      const leftMs = Math.min(fenceMs(), deadlineMs) - clock.monotonicWithSleepMs();
      // After a deadline nothing but the fence is left to wait for.
      await clock.sleep(leftMs > 0 ? Math.min(leftMs, lookMs) : lookMs, stopping.signal).catch(() => {});
    }
  }

  function fenceMs(): number {
    return acknowledgedSentMs + ttlMs - Math.min(limits.fenceMarginMs, ttlMs / 3);
  }

  /** Ends the run when its time is over. */
  function look(): void {
    if (isOver) return;
    const nowMs = clock.monotonicWithSleepMs();
    const pauseMs = nowMs - lookedAtMs;
    lookedAtMs = nowMs;
    if (pauseMs >= stoodStillMs) {
      pauseSeen = { ms: pauseMs, endedAtMs: nowMs };
      log.warn(`this machine or process stood still for ${span(pauseMs)}`, { leaseId });
      isBeatWanted = true;
      pause.wake();
    }
    if (nowMs >= fenceMs()) end(new RunInterruptedError(whyFenced(nowMs)));
    else if (nowMs >= deadlineMs) end(new RunTimeoutError('the run took longer than the bridge allows'));
  }

  function whyFenced(nowMs: number): string {
    const silence = `no heartbeat was acknowledged for ${span(nowMs - acknowledgedSentMs)}`;
    if (pauseSeen === null || pauseSeen.endedAtMs <= acknowledgedSentMs) return silence;
    return `${silence}: this machine or process stood still for ${span(pauseSeen.ms)}`;
  }

  function cancel(): void {
    if (ended === null) deps.onCancelOrder();
    end(new CancelledError('the run was cancelled'));
  }

  function end(reason: Error): void {
    if (isOver) return;
    const isFirst = ended === null;
    // Heartbeats go on after a cancel or a time-out, so that the lease is ours until its result is in.
    if (!(reason instanceof CancelledError)) {
      isOver = true;
      stopping.abort();
    } else if (!isFirst) return;
    ended ??= reason;
    settleTaken?.reject(reason);
    deps.onEnd(reason);
  }
}
