import type { Hint, Hints } from '../hints.ts';

/** Hints within one process: delivered at once. */
export function inProcessHints(): Hints {
  const listeners = new Set<(hint: Hint) => unknown>();
  return {
    publish(hint) {
      let isTaken = false;
      for (const listener of [...listeners]) isTaken = listener(hint) === true || isTaken;
      return isTaken;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
