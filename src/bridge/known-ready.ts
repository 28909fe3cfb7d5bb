import type { Clock } from '../lib/clock.ts';
import { countReady } from './leases/grant-leases.ts';
import type { LeaseDeps } from './leases/lease-deps.ts';

type ReadyRuns = Awaited<ReturnType<typeof countReady>>;

/**
 * What this bridge knows of runs that wait, from its regular look and the hints since. Ten thousand runners that find
 * nothing would otherwise ask the database every 25 s each; what a hint failed to tell, the next look finds.
 */
export interface KnownReady {
  /** Looks, and gives what could be granted now. */
  look(): Promise<ReadyRuns>;
  /** A run of this workspace waits since now. */
  note(workspace: string): void;
  /** True when a look of a moment ago found no run of the workspace and none was noted since; false when in doubt. */
  isNone(workspace: string): boolean;
}

export function knownReady(deps: LeaseDeps & { clock: Clock }): KnownReady {
  const { clock, timing } = deps;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let found = new Set<string>();
  let noted = new Set<string>();
  return {
    async look() {
      // A hint that comes while it looks may be about a run that it does not see yet.
      const [startedAtMs, before] = [clock.monotonicMs(), noted];
      noted = new Set();
      try {
        const ready = await countReady(deps);
        found = new Set(ready.map(({ workspace }) => workspace));
        lookedAtMs = startedAtMs;
        return ready;
      } catch (error) {
        noted = new Set([...before, ...noted]);
        throw error;
      }
    },
    note: (workspace) => void noted.add(workspace),
    isNone: (workspace) =>
      clock.monotonicMs() - lookedAtMs <= 2 * timing.sweepMs &&
      !found.has(workspace) &&
      !noted.has(workspace),
  };
}
