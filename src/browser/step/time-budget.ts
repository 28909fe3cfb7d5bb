import type { Clock } from '../../lib/clock.ts';

/** The time one step may take, all its parts together. */
export interface TimeBudget {
  readonly timeoutMs: number;
  /** 0 when it is used up. */
  remainingMs(): number;
  /** What `work` gives, or null when the budget ends first; rejects with the signal's reason when that fires. */
  spend<T>(work: Promise<T>): Promise<T | null>;
}

/** A budget that runs from now on. `halt` ends every wait in it. */
export function timeBudget(timeoutMs: number, clock: Clock, halt: AbortSignal): TimeBudget {
  const endsAt = clock.monotonicMs() + timeoutMs;
  const remainingMs = (): number => Math.max(0, endsAt - clock.monotonicMs());
  return { timeoutMs, remainingMs, spend: (work) => withinMs(work, remainingMs(), clock, halt) };
}

/** What `work` gives, or null after `limitMs`; rejects with the signal's reason when that fires. Work that loses is left alone. */
export async function withinMs<T>(
  work: Promise<T>,
  limitMs: number,
  clock: Clock,
  halt: AbortSignal,
): Promise<T | null> {
  const over = new AbortController();
  const cancel = (): void => over.abort(halt.reason);
  if (halt.aborted) cancel();
  halt.addEventListener('abort', cancel, { once: true });
  try {
    const timer = clock.sleep(limitMs, over.signal).then(() => null);
    // Whoever loses the race may still reject later, when the page is closed.
    timer.catch(() => {});
    work.catch(() => {});
    return await Promise.race([work, timer]);
  } finally {
    halt.removeEventListener('abort', cancel);
    over.abort();
  }
}
