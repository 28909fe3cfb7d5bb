import pRetry from 'p-retry';
import { type Clock, fullJitterMs } from '../../lib/clock.ts';
import { NoAnswerError } from './bridge-errors.ts';

/** What a retry needs of its surroundings. */
export interface RetryDeps {
  clock: Clock;
  /** 0 up to 1. */
  random: () => number;
}

/** How patient a call is. */
export interface RetryOptions {
  /** Ends the waiting; its reason is thrown. A result that came in is never thrown away for it. */
  signal?: AbortSignal | undefined;
  /** Tries after the first one. */
  retries?: number;
  /** Bounds of the random wait. */
  baseMs?: number;
  capMs?: number;
  /** Longest that a Retry-After is obeyed, default 5 min. */
  retryAfterCapMs?: number;
  /** Told before each wait. */
  onRetry?: (error: NoAnswerError, waitMs: number) => void;
  /** Waits instead of the clock, e.g. to be woken early. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** Longest wait a Retry-After may ask for. Source: reference measurements, "Transport". */
const longestRetryAfterMs = 5 * 60_000;

/**
 * THE retry policy: only a NoAnswerError is tried again, after a full-jitter wait of up to 1 to 30 s that doubles, or
 * after what Retry-After asked for and that wait on top: a bridge that tells a whole fleet the same must not get it back at once.
 */
export async function withRetry<T>(
  task: (attempt: number) => Promise<T>,
  {
    signal,
    retries = Number.POSITIVE_INFINITY,
    baseMs = 1_000,
    capMs = 30_000,
    retryAfterCapMs = longestRetryAfterMs,
    onRetry,
    sleep,
  }: RetryOptions,
  { clock, random }: RetryDeps,
): Promise<T> {
  // p-retry never gets the signal: it would drop a result that arrives together with the abort, and with it leases.
  return pRetry(
    (attempt) => {
      signal?.throwIfAborted();
      return task(attempt);
    },
    {
      retries,
      minTimeout: 0,
      maxTimeout: 0,
      shouldRetry: ({ error }) => error instanceof NoAnswerError,
      async onFailedAttempt({ error, attemptNumber, retriesLeft }) {
        if (!(error instanceof NoAnswerError) || retriesLeft <= 0) return;
        signal?.throwIfAborted();
        const askedMs = Math.min(error.retryAfterMs ?? 0, retryAfterCapMs);
        const waitMs = askedMs + fullJitterMs(attemptNumber - 1, { baseMs, capMs, random });
        onRetry?.(error, waitMs);
        await (sleep === undefined ? clock.sleep(waitMs, signal) : sleep(waitMs, signal));
      },
    },
  );
}
