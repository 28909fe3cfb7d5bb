import { uptime } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** Time as everything here sees it; tests give their own. */
export interface Clock {
  /** Wall clock, ms since 1970. It may jump. */
  nowMs(): number;
  /** Monotonic clock, ms since some start. Time budgets use only this one. On Linux it stands still while the machine sleeps. */
  monotonicMs(): number;
  /** As {@link Clock.monotonicMs}, but time that the machine slept counts. What decides about a lease uses only this one. */
  monotonicWithSleepMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when that is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The clock of this machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  monotonicWithSleepMs: withSleep(() => performance.now(), uptime),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};

/** The uptime of some systems counts whole seconds, and is read a moment after the other clock. */
const uptimeErrorMs = 1_500;

/**
 * A clock that follows `awakeMs` and adds what `uptimeSeconds` went ahead of it: the time asleep. Linux counts sleep only in
 * its uptime (CLOCK_BOOTTIME); macOS and Windows count it in both. It never goes back, whatever the uptime says, and is
 * `awakeMs` alone where a system does not tell its uptime.
 */
export function withSleep(awakeMs: () => number, uptimeSeconds: () => number): () => number {
  const offsetMs = (): number | null => {
    try {
      return uptimeSeconds() * 1_000 - awakeMs();
    } catch {
      return null;
    }
  };
  const startOffsetMs = offsetMs();
  let asleepMs = 0;
  return () => {
    const nowMs = offsetMs();
    const aheadMs = nowMs === null || startOffsetMs === null ? 0 : nowMs - startOffsetMs;
    if (aheadMs > asleepMs + uptimeErrorMs) asleepMs = aheadMs;
    return awakeMs() + asleepMs;
  };
}

/** Full jitter: a random wait up to `min(capMs, baseMs * 2^attempt)`, attempt counted from 0. Source: system.md, "Requests". */
export function fullJitterMs(
  attempt: number,
  {
    baseMs = 1_000,
    capMs = 30_000,
    random = Math.random,
  }: { baseMs?: number; capMs?: number; random?: () => number } = {},
): number {
  return random() * Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
}
