import type { Hints } from '../hints.ts';
import { findRunnerByKey, type KeyDeps } from '../runners/runner-keys.ts';

type Found = NonNullable<Awaited<ReturnType<typeof findRunnerByKey>>>;

/**
 * How long a runner that was found in order is taken to be so still. A change is hinted to all bridges and counts at once;
 * this bounds how late it counts where the hint is lost, and is longer than a poll waits, so that idle runners are known.
 */
const trustMs = 30_000;

/** Looks runners up by key. */
export interface KnownCallers {
  find(runnerId: string, generation: number): Promise<Found | null>;
  /** What was known of this runner has changed. */
  forget(runnerId: string): void;
}

/**
 * Remembers runners whose key is in order for a while: the look-up would be half of what their requests cost. A change of the runner is hinted and forgets it at once.
 */
export function knownCallers(
  deps: Pick<KeyDeps, 'db' | 'now'> & { hints: Hints; nowMs: () => number },
): KnownCallers {
  const known = new Map<string, { found: Found; untilMs: number }>();
  // A look-up that was under way when a hint came may have read what was before it.
  let changes = 0;
  function forget(runnerId: string): void {
    changes += 1;
    for (const [key, { found }] of known) if (found.runnerId === runnerId) known.delete(key);
  }
  deps.hints.subscribe((hint) => {
    if (hint.about === 'runner') forget(hint.runnerId);
  });
  return {
    forget,
    async find(runnerId, generation) {
      const key = `${runnerId} ${generation}`;
      const nowMs = deps.nowMs();
      const remembered = known.get(key);
      if (remembered !== undefined && remembered.untilMs > nowMs && remembered.found.notAfterMs > nowMs)
        return remembered.found;
      const changesBefore = changes;
      const found = await findRunnerByKey(deps, runnerId, generation);
      if (changes === changesBefore && found?.isUsed === true && !found.isOver && !found.isRevoked) {
        if (known.size >= 20_000) known.clear();
        known.set(key, { found, untilMs: nowMs + trustMs });
      } else known.delete(key);
      return found;
    },
  };
}
