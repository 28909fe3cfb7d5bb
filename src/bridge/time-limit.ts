import type { Clock } from '../lib/clock.ts';

/** What `work` gives, or an error after `limitMs` that says so; the work itself goes on unheard. */
export async function withinTime<T>(clock: Clock, limitMs: number, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const late = clock.sleep(limitMs, done.signal).then(() => {
    throw new Error(`no answer within ${limitMs / 1_000} s`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    done.abort();
  }
}
