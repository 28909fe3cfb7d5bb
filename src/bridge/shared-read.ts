import type { Clock } from '../lib/clock.ts';

/**
 * A read that many may ask for: one is under way at a time, and what it gave is given again for `ttlMs`. So whoever asks
 * often cannot make it run often. A failure is not kept, but shared by all who waited for it.
 */
export function sharedRead<T>(clock: Clock, ttlMs: number, read: () => Promise<T>): () => Promise<T> {
  let latest: { value: T; untilMs: number } | null = null;
  const readOnce = oneAtATime(async () => {
    const value = await read();
    latest = { value, untilMs: clock.monotonicMs() + ttlMs };
    return value;
  });
  return () =>
    latest !== null && clock.monotonicMs() < latest.untilMs ? Promise.resolve(latest.value) : readOnce();
}

/** The same work, which who asks while it is under way shares: what hangs does not pile up. */
export function oneAtATime<T>(work: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | null = null;
  return () => {
    underWay ??= work().finally(() => {
      underWay = null;
    });
    return underWay;
  };
}
