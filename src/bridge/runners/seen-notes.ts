import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Capabilities } from '../../protocol/messages.ts';
import type { Database, SqlNow } from '../db/database.ts';
import { isOutage } from '../outage.ts';
import { noteSeen } from './runners.ts';

/** How often a runner's row is touched for being alive. */
const everyMs = 10_000;

/** Notes that runners poll. Off the way of the poll itself, and at most every 10 s for each runner. */
export interface SeenNotes {
  note(runnerId: string, capabilities: Capabilities): void;
  /** Resolves when all notes are written. */
  settled(): Promise<void>;
}

export function seenNotes(deps: { db: Database; now: SqlNow; clock: Clock; log: Log }): SeenNotes {
  const notedAtMs = new Map<string, number>();
  const writing = new Set<Promise<void>>();
  return {
    note(runnerId, capabilities) {
      const atMs = deps.clock.monotonicMs();
      if (atMs - (notedAtMs.get(runnerId) ?? Number.NEGATIVE_INFINITY) < everyMs) return;
      // Forgetting all of them costs a write for each runner, and keeps runners that are gone from piling up.
      if (notedAtMs.size > 10_000) notedAtMs.clear();
      notedAtMs.set(runnerId, atMs);
      const write = noteSeen(deps, runnerId, capabilities).catch((error: unknown) => {
        const at = isOutage(error) ? 'debug' : 'warn';
        deps.log[at]('cannot note that a runner was seen', { runnerId, error });
      });
      writing.add(write);
      void write.finally(() => writing.delete(write));
    },
    async settled() {
      await Promise.all(writing);
    },
  };
}
