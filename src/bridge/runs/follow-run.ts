import { sql } from 'drizzle-orm';
import type { RunUpdate } from '../../protocol/run-result.ts';
import { epochMs, rowsOf } from '../db/database.ts';
import type { LeaseDeps } from '../leases/lease-deps.ts';

/** A place in a run's events: everything up to and including it was seen. */
export interface EventPosition {
  fence: number;
  seq: number;
}

/** Before the first event. */
export const fromTheFirst: EventPosition = { fence: -1, seq: -1 };

/** Events read from the table at once. */
const page = 500;

/** `<fence>-<seq>`, the id of an event on the stream. */
export function positionText({ fence, seq }: EventPosition): string {
  return `${fence}-${seq}`;
}

/** The inverse of {@link positionText}; null for anything else. */
export function parsePosition(text: string): EventPosition | null {
  const parts = /^(\d{1,9})-(\d{1,9})$/.exec(text);
  return parts === null ? null : { fence: Number(parts[1]), seq: Number(parts[2]) };
}

/**
 * The updates of a run after `position`, then live ones, until `run_complete` or `signal`. It listens before it reads, and
 * a wake-up only makes it read on, so nothing is lost or told twice whoever joins when.
 */
export async function* followRun(
  { db, hints, timing }: Pick<LeaseDeps, 'db' | 'hints' | 'timing'>,
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
      const updates = await readUpdates({ db }, runId, seen);
      for (const update of updates) {
        yield update;
        seen = update;
        if (update.type === 'run_complete') return;
      }
      if (updates.length === page) continue;
      if (updates.length === 0) {
        // It was over before the read that found nothing: `run_complete` lies at or before `position`.
        if (wasOver) return;
        wasOver = await runIsOver({ db }, runId);
        if (wasOver) continue;
      }
      await bell.rung(timing.streamRereadMs, signal);
    }
  } finally {
    unsubscribe();
  }
}

/** True when the run has ended and has no events after `position`. */
export async function hasNothingAfter(
  { db }: Pick<LeaseDeps, 'db'>,
  runId: string,
  position: EventPosition,
): Promise<boolean> {
  return (await runIsOver({ db }, runId)) && (await readUpdates({ db }, runId, position)).length === 0;
}

async function runIsOver({ db }: Pick<LeaseDeps, 'db'>, runId: string): Promise<boolean> {
  const rows = await rowsOf(
    db,
    sql`select 1 from qualinet.leases where run_id = ${runId}::uuid and state in ('done', 'failed', 'cancelled')`,
  );
  return rows.length > 0;
}

async function readUpdates(
  { db }: Pick<LeaseDeps, 'db'>,
  runId: string,
  { fence, seq }: EventPosition,
): Promise<RunUpdate[]> {
  const rows = await rowsOf<{ fence: number; seq: number; atMs: number; event: object }>(
    db,
    sql`
      select fence, seq, ${epochMs(sql`at`)} as "atMs", event from qualinet.run_events
      where run_id = ${runId}::uuid and (fence, seq) > (${fence}::int, ${seq}::int)
      order by fence, seq limit ${page}`,
  );
  // The row holds what appendEvents and the lease statements wrote, and nothing else writes it.
  return rows.map(
    ({ atMs, event, ...at }) => ({ ...event, runId, ...at, at: new Date(atMs).toISOString() }) as RunUpdate,
  );
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
