import type { Clock } from '../lib/clock.ts';

/**
 * A read that many may ask for: one is under way at a time, and what it gave is given again for `ttlMs`. So whoever asks
 * often cannot make it run often. A failure is not kept, but shared by all who waited for it.
 */
export function sharedRead<T>(clock: Clock, ttlMs: number, read: () => Promise<T>): () => Promise<T> {
  let latest: { value: T; untilMs: number } | null = null;
  let underWay: Promise<T> | null = null;
  return () => {
    if (latest !== null && clock.monotonicMs() < latest.untilMs) return Promise.resolve(latest.value);
    underWay ??= read()
      .then((value) => {
        latest = { value, untilMs: clock.monotonicMs() + ttlMs };
        return value;
      })
      .finally(() => {
        underWay = null;
      });
    return underWay;
  };
}
