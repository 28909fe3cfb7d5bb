import type { Clock } from '../lib/clock.ts';

/** What `work` gives, or an error after `limitMs` that says so; the work itself goes on unheard. */
export function withinTime<T>(clock: Clock, limitMs: number, work: Promise<T>): Promise<T> {
  return limited(clock, limitMs, work, () => {
    throw new Error(`no answer within ${limitMs / 1_000} s`);
  });
}

/** Resolves with `work`, or after `limitMs`; the work itself goes on unheard. */
export async function waitAtMost(clock: Clock, limitMs: number, work: Promise<unknown>): Promise<void> {
  await limited(clock, limitMs, work, () => {});
}

async function limited<T>(clock: Clock, limitMs: number, work: Promise<T>, onLate: () => T): Promise<T> {
  const done = new AbortController();
  const late = clock.sleep(limitMs, done.signal).then(onLate);
  late.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    done.abort();
  }
}
