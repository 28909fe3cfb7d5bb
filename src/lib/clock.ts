import { setTimeout as delay } from 'node:timers/promises';

/** Time as everything here sees it; tests give their own. */
export interface Clock {
  /** Wall clock, ms since 1970. It may jump. */
  nowMs(): number;
  /** Monotonic clock, ms since some start. Leases and time budgets use only this one. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when that is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The clock of this machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};

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
