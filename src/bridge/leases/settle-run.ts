import { type SQL, sql } from 'drizzle-orm';
import type { RunError, RunResult, RunStatus, StepResult } from '../../protocol/run-result.ts';
import { epochMs, json, rowsOf } from '../db/database.ts';
import { endedRunColumns } from '../events/teller.ts';
import type { HeldLease } from './held-lease.ts';
import type { LeaseDeps } from './lease-deps.ts';
import type { RunEnd } from './run-end.ts';
import { isSweptByClock } from './silence.ts';

/** The error of a run that the bridge's deadline ended. */
export const runTimeout: RunError = {
  code: 'run_timeout',
  message: 'The run took longer than the bridge allows.',
};

const cancelledUnasked: RunError = {
  code: 'cancelled_by_runner',
  message: 'The runner reported the run as cancelled, but nobody had asked for that.',
};

/**
 * Writes a runner's result: lease row and run row in one statement, once; then `run_complete` is told. What the row then says is
 * returned, also for a result that came before; after the deadline that is `failed`, whatever the runner says.
 * Null when the lease is not this runner's under this fence.
 */
export async function settleByResult(
  deps: LeaseDeps,
  held: HeldLease,
  result: RunResult,
): Promise<RunStatus | null> {
  const { leaseId, fence, runnerId } = held;
  // A clock that was just set forward makes nothing late; the next sweep moves the deadline along.
  const late = sql`(l.deadline_at <= ${deps.now()} and ${isSweptByClock(deps.now)})`;
  const unasked = sql`(${result.status} = 'cancelled' and l.cancel_requested_at is null)`;
  const settled = await settle(deps, {
    guard: sql`l.id = ${leaseId}::uuid and l.fence = ${fence} and l.runner_id = ${runnerId}::uuid
      and l.state = 'leased'`,
    state: sql`case when ${late} then 'failed' when ${result.status} = 'cancelled' and not ${unasked} then 'cancelled'
      else 'done' end`,
    status: sql`case when ${late} or ${unasked} then 'failed' else ${result.status} end`,
    error: sql`case when ${late} then ${json(runTimeout)} when ${unasked} then ${json(cancelledUnasked)}
      else ${json(result.error ?? null)} end`,
    durationMs: sql`${result.durationMs}::int`,
    stepsResult: result.stepsResult,
    more: sql``,
    isAmongEvents: false,
  });
  if (settled !== null) return settled.status;
  const [before] = await rowsOf<{ status: RunStatus }>(
    deps.db,
    sql`
      select r.status from qualinet.leases l join public.runs r on r.id = l.run_id
      where l.id = ${leaseId}::uuid and l.fence = ${fence} and l.runner_id = ${runnerId}::uuid
        and l.state in ('done', 'failed', 'cancelled')`,
  );
  return before?.status ?? null;
}

/** How the bridge itself ends a run, with no result of a runner. */
export interface Ending {
  /** Which row, in which state: about `l` (qualinet.leases). */
  guard: SQL;
  state: 'failed' | 'cancelled';
  error: RunError | null;
  /** Set when an attempt ended with it: what the row then says of that. Fence and runner stay, so that a late result finds its answer. */
  lastAttempt?: { attempts: number; endReason: string; releasedBy: string | null };
  /** What the row shows for each step, where the bridge knows more than that none was reported. */
  stepsResult?: readonly StepResult[];
}

/** Ends a run without a result. False when the guard fits no row (somebody else was first). */
export async function settleByBridge(
  deps: LeaseDeps,
  { guard, state, error, lastAttempt, stepsResult }: Ending,
): Promise<boolean> {
  const settled = await settle(deps, {
    guard,
    state: sql`${state}`,
    status: sql`${state}`,
    error: json(error),
    durationMs:
      stepsResult === undefined
        ? sql`(extract(epoch from ${deps.now()} - l.started_at) * 1000)::int`
        : sql`0`,
    stepsResult: stepsResult ?? [],
    more: lastAttempt === undefined ? sql`` : attemptColumns(lastAttempt),
    isAmongEvents: true,
  });
  if (settled === null) return false;
  // Its runner may still execute it; the heartbeat that this brings tells it to stop.
  const { runnerId, leaseId } = settled;
  if (runnerId !== null) deps.hints.publish({ about: 'runner', runnerId, leaseId });
  return true;
}

interface Settlement {
  guard: SQL;
  state: SQL;
  status: SQL;
  error: SQL;
  durationMs: SQL;
  stepsResult: readonly StepResult[];
  /** Further columns to set, each after a comma. */
  more: SQL;
  /** A runner may be sending events of the run at this moment. */
  isAmongEvents: boolean;
}

function attemptColumns({ attempts, endReason, releasedBy }: NonNullable<Ending['lastAttempt']>): SQL {
  return sql`, attempts = ${attempts}::int, last_end_reason = ${endReason}, released_by = ${releasedBy}::uuid,
    released_fence = case when ${releasedBy}::uuid is null then null else l.fence end`;
}

// The only writer of final states. One statement, so that row and lease come together or not at all.
async function settle(
  { db, now, hints, teller, observe }: LeaseDeps,
  { guard, state, status, error, durationMs, stepsResult, more, isAmongEvents }: Settlement,
): Promise<Pick<RunEnd, 'status' | 'runnerId' | 'leaseId'> | null> {
  const [settled] = await rowsOf<Omit<RunEnd, 'stepsResult'>>(
    db,
    sql`
      with before as (
        select l.id, r.flow_id, ${state} as state, ${error} as error, ${durationMs} as duration_ms,
          case when ${rowIsOpen} then ${status} else r.status end as status
        from qualinet.leases l left join public.runs r on r.id = l.run_id where ${guard} for update of l
      ), settled as (
        update qualinet.leases l
        set state = b.state, error = b.error, ended_at = ${now()}, offered_until = null, expires_at = null,
          untold = true${more}
        from before b where l.id = b.id
        returning l.*, b.status, b.duration_ms, b.flow_id
      ), written as (
        update public.runs r
        set status = s.status, duration_ms = s.duration_ms, steps_result = ${json(stepsResult)}
        from settled s where r.id = s.run_id and ${rowIsOpen}
      )
      select ${endedRunColumns}, l.status, l.duration_ms as "durationMs", l.id as "leaseId", l.flow_id as "flowId",
        l.name, l.workspace, l.labels, l.priority, l.queue, l.job_id as "jobId", l.trace_parent as "traceParent",
        l.handbacks, l.last_end_reason as "lastEndReason", ${epochMs(sql`l.queued_at`)} as "queuedAtMs", l.error
      from settled l left join qualinet.runners runner on runner.id = l.runner_id`,
  );
  if (settled === undefined) return null;
  await teller.ended(settled, { isAmongEvents });
  hints.publish({ about: 'run', runId: settled.runId, isOver: true });
  observe({ ...settled, stepsResult });
  return settled;
}

// The row is the backend's too: what it wrote as the end of a run stays.
const rowIsOpen: SQL = sql`coalesce(r.status, 'queued') in ('queued', 'running')`;
