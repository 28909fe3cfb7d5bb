import { sql } from 'drizzle-orm';
import type { RunUpdate } from '../../protocol/run-result.ts';
import { type Database, rowsOf } from '../db/database.ts';
import type { Hints } from '../hints.ts';
import type { Timing } from '../timing.ts';
import { type EventLog, type EventPosition, isAfter, updatesPerPage } from './event-log.ts';

interface FollowDeps {
  db: Database;
  events: EventLog;
  hints: Hints;
  timing: Pick<Timing, 'streamRereadMs'>;
}

/**
 * The updates of a run after `position`, then live ones, until `run_complete` or `signal`. It listens before it reads, and
 * a wake-up only makes it read on, so nothing is lost or told twice whoever joins when.
 */
export async function* followRun(
  { db, events, hints, timing }: FollowDeps,
  runId: string,
  position: EventPosition,
  signal: AbortSignal,
): AsyncGenerator<RunUpdate> {
  const bell = doorbell();
  const unsubscribe = hints.subscribe((hint) => {
    if (hint.about === 'run' && hint.runId === runId) bell.ring();
  });
  let seen = position;
  let wasOver = false;
  try {
    while (!signal.aborted) {
      bell.reset();
      const updates = await events.read(runId, seen);
      for (const update of updates) {
        yield update;
        seen = update;
        if (update.type === 'run_complete') return;
      }
      if (updates.length === updatesPerPage) continue;
      if (updates.length === 0) {
        // It was over before the read that found nothing: nothing comes any more.
        if (wasOver) return;
        wasOver = await endsAtOrBefore({ db }, runId, seen);
        if (wasOver) continue;
      }
      await bell.rung(timing.streamRereadMs, signal);
    }
  } finally {
    unsubscribe();
  }
}

/** True when the run has ended and has no updates after `position`. */
export async function hasNothingAfter(
  { db, events }: Pick<FollowDeps, 'db' | 'events'>,
  runId: string,
  position: EventPosition,
): Promise<boolean> {
  return (await endsAtOrBefore({ db }, runId, position)) && (await events.read(runId, position)).length === 0;
}

// The ending of a run may be written and not yet told; then it still comes. A log may also have forgotten the run.
async function endsAtOrBefore(
  { db }: Pick<FollowDeps, 'db'>,
  runId: string,
  position: EventPosition,
): Promise<boolean> {
  const [ended] = await rowsOf<EventPosition & { untold: boolean }>(
    db,
    sql`
      select fence, last_seq + 1 as seq, untold from qualinet.leases
      where run_id = ${runId}::uuid and state in ('done', 'failed', 'cancelled')`,
  );
  return ended !== undefined && (!ended.untold || !isAfter(ended, position));
}

// A wake-up that comes while nobody waits yet is kept for the next wait.
function doorbell() {
  let rang = false;
  let wake = (): void => {};
  return {
    reset(): void {
      rang = false;
    },
    ring(): void {
      rang = true;
      wake();
    },
    rung(maxMs: number, signal: AbortSignal): Promise<void> {
      if (rang || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          wake = () => {};
          resolve();
        };
        const timer = setTimeout(done, maxMs);
        signal.addEventListener('abort', done);
        wake = done;
      });
    },
  };
}
