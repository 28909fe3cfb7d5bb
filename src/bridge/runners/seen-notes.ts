import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Capabilities } from '../../protocol/messages.ts';
import type { Database, SqlNow } from '../db/database.ts';
import { noteSeen } from './runners.ts';

/** How often a runner's row is touched for being alive. */
const everyMs = 10_000;
/** Runners that poll within this time are noted in one statement. */
const gatherMs = 250;

/** Notes that runners poll. Off the way of the poll itself, and at most every 10 s for each runner. */
export interface SeenNotes {
  note(runnerId: string, capabilities: Capabilities): void;
  /** Resolves when all notes are written. */
  settled(): Promise<void>;
}

export function seenNotes(deps: { db: Database; now: SqlNow; clock: Clock; log: Log }): SeenNotes {
  const { clock, log } = deps;
  const notedAtMs = new Map<string, number>();
  let gathered = new Map<string, Capabilities>();
  let hurry = new AbortController();
  let writing: Promise<void> | null = null;

  async function write(): Promise<void> {
    await clock.sleep(gatherMs, hurry.signal).catch(() => {});
    const seen = gathered;
    gathered = new Map();
    // From here on the next ones gather, beside this write.
    writing = null;
    try {
      await noteSeen(deps, seen);
    } catch (error) {
      log.warn('cannot note that runners were seen', { runners: seen.size, error });
    }
  }

  return {
    note(runnerId, capabilities) {
      const atMs = clock.monotonicMs();
      if (atMs - (notedAtMs.get(runnerId) ?? Number.NEGATIVE_INFINITY) < everyMs) return;
      // Forgetting all of them costs a write for each runner, and keeps runners that are gone from piling up.
      if (notedAtMs.size > 20_000) notedAtMs.clear();
      notedAtMs.set(runnerId, atMs);
      gathered.set(runnerId, capabilities);
      writing ??= write();
    },
    async settled() {
      const last = writing;
      hurry.abort('settled');
      hurry = new AbortController();
      await last;
    },
  };
}
