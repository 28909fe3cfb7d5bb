import { abortScope } from '../lib/abort-scope.ts';
import type { Clock } from '../lib/clock.ts';

/** A sleep that somebody else may end early. */
export interface WakeUp {
  /** Ends the sleep under way; without one, nothing happens. */
  wake(): void;
  /** Resolves after `ms`, or when woken; rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Makes a sleep that can be ended early; one sleeper at a time. */
export function createWakeUp(clock: Clock): WakeUp {
  let wake: (() => void) | null = null;
  return {
    wake: () => wake?.(),
    async sleep(ms, signal) {
      const scope = abortScope([signal]);
      wake = () => scope.abort(null);
      try {
        await clock.sleep(ms, scope.signal).catch(() => {});
      } finally {
        wake = null;
        scope.close();
      }
      signal?.throwIfAborted();
    },
  };
}
