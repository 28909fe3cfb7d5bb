import type { Hint, Hints } from '../hints.ts';

/** Hints within one process: delivered at once. */
export function inProcessHints(): Hints {
  const listeners = new Set<(hint: Hint) => void>();
  return {
    publish(hint) {
      for (const listener of [...listeners]) listener(hint);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
