import { type SQL, sql } from 'drizzle-orm';
import type { Log } from '../../lib/log.ts';
import type { RunStatus, RunUpdate } from '../../protocol/run-result.ts';
import { type Database, epochMs, nowPlus, rowsOf, type SqlNow, uuidArray } from '../db/database.ts';
import { isOutage } from '../outage.ts';
import type { EventLog } from './event-log.ts';
import { addLate } from './late-updates.ts';

/** Endings told again in one pass; the rest waits for the next. */
const batch = 500;
/** An ending younger than this is being told by the bridge that wrote it. */
const ownTimeMs = 2_000;

/** An attempt that a runner has taken, as its lease row says it. */
export interface BegunAttempt {
  runId: string;
  fence: number;
  attempts: number;
  runnerId: string;
  runnerName: string;
  startedAtMs: number;
}

/** A run that is over, as its lease row says it. The runner's fields are null when none had it when it ended. */
export interface EndedRun {
  runId: string;
  fence: number;
  attempts: number;
  lastSeq: number;
  status: RunStatus;
  endedAtMs: number;
  runnerId: string | null;
  runnerName: string | null;
  startedAtMs: number | null;
  /** True when some of its updates may be late. */
  hasLate: boolean;
}

/**
 * Tells what the lease rows say about runs: `run_start` and `run_complete`. The row is written first and marked `untold`,
 * so whatever happens to this bridge or to the log, the ending is told in the end, and once: the log passes over repeats.
 */
export interface Teller {
  /**
   * After what is late of earlier attempts (`hasLate`). Never throws: the first step event brings it along when it could not
   * be told now.
   */
  started(attempt: BegunAttempt, hasLate: boolean): Promise<void>;
  /**
   * Never throws: the next passes of {@link Teller.sweep} tell it when it could not be told now. With `isAmongEvents`, when
   * the runner may be sending events at this moment, an end that overtook some of them is left to those passes: told
   * now, the log would pass over what comes before it.
   */
  ended(run: EndedRun, options: { isAmongEvents: boolean }): Promise<void>;
  /** Tells the endings that nobody told, and notes on the rows which were. */
  sweep(): Promise<void>;
}

export function createTeller({
  db,
  now,
  events,
  log,
}: {
  db: Database;
  now: SqlNow;
  events: EventLog;
  log: Log;
}): Teller {
  // Noted on the rows together once a sweep: a statement for each run would double what its ending costs.
  const told = new Set<string>();

  async function tellEnd(run: EndedRun): Promise<void> {
    if (run.hasLate) await addLate(events, run.runId);
    await events.add(run.runId, endingUpdates(run));
    told.add(run.runId);
  }

  async function hasLastEvent({ runId, fence, lastSeq, hasLate }: EndedRun): Promise<boolean> {
    if (lastSeq === 0) return true;
    if (hasLate) await addLate(events, runId);
    const [last] = await events.read(runId, { fence, seq: lastSeq - 1 });
    return last?.fence === fence && last.seq === lastSeq;
  }

  async function noteTold(): Promise<void> {
    const runIds = [...told];
    if (runIds.length === 0) return;
    await db.execute(
      sql`update qualinet.leases set untold = false where untold and run_id = any(${uuidArray(runIds)})`,
    );
    for (const runId of runIds) told.delete(runId);
  }

  return {
    async started(attempt, hasLate) {
      try {
        if (hasLate) await addLate(events, attempt.runId);
        await events.add(attempt.runId, [runStart(attempt)]);
      } catch (error) {
        log.debug('the beginning of a run could not be told yet', { runId: attempt.runId, error });
      }
    },
    async ended(run, { isAmongEvents }) {
      try {
        if (isAmongEvents && !(await hasLastEvent(run))) return;
        await tellEnd(run);
      } catch (error) {
        // An outage is told once, and not with each run.
        const at = isOutage(error) ? 'debug' : 'warn';
        log[at]('the end of a run could not be told yet', { runId: run.runId, error });
      }
    },
    async sweep() {
      await noteTold();
      for (const runId of (await events.late?.runIds()) ?? []) await addLate(events, runId);
      const untold = await rowsOf<EndedRun>(
        db,
        sql`
          select ${endedRunColumns}, coalesce(r.status, l.state) as status
          from qualinet.leases l left join public.runs r on r.id = l.run_id
          left join qualinet.runners runner on runner.id = l.runner_id
          where l.untold and not l.ended_at between ${nowPlus(now, -ownTimeMs)} and ${nowPlus(now, ownTimeMs)} order by l.ended_at limit ${batch}`,
      );
      if (untold.length === 0) return;
      for (const run of untold) await tellEnd(run);
      await noteTold();
    },
  };
}

/** Whether updates of a run may be late, for `l` (qualinet.leases). */
export const hasLateUpdates: SQL = sql`exists (select from qualinet.run_events e where e.run_id = l.run_id)`;

/** Columns of an {@link EndedRun} but its status, for `l` (qualinet.leases) and `runner` (its runner, left-joined). */
export const endedRunColumns: SQL = sql`l.run_id as "runId", l.fence, l.attempts, l.last_seq as "lastSeq",
  ${epochMs(sql`l.ended_at`)} as "endedAtMs", l.runner_id as "runnerId", runner.name as "runnerName",
  ${epochMs(sql`l.started_at`)} as "startedAtMs", ${hasLateUpdates} as "hasLate"`;

/** The update that an attempt has begun: number 0 of its fence. */
export function runStart({
  runId,
  fence,
  attempts,
  runnerId,
  runnerName,
  startedAtMs,
}: BegunAttempt): RunUpdate {
  const at = new Date(startedAtMs).toISOString();
  return {
    type: 'run_start',
    status: 'running',
    attempt: attempts,
    runnerId,
    runnerName,
    runId,
    fence,
    seq: 0,
    at,
  };
}

// The beginning comes along because it may not have been told; a log that has it passes over it.
function endingUpdates({ runnerId, runnerName, startedAtMs, status, ...run }: EndedRun): RunUpdate[] {
  const { runId, fence, lastSeq, endedAtMs } = run;
  const begun =
    runnerId === null || runnerName === null || startedAtMs === null
      ? []
      : [runStart({ ...run, runnerId, runnerName, startedAtMs })];
  const at = new Date(endedAtMs).toISOString();
  const final = status === 'passed' || status === 'cancelled' ? status : 'failed';
  return [...begun, { type: 'run_complete', status: final, runId, fence, seq: lastSeq + 1, at }];
}
