import { randomUUID } from 'node:crypto';
import { type SQL, sql } from 'drizzle-orm';
import type { FlowLength } from '../../flow/flow-length.ts';
import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../protocol/limits.ts';
import type { FlowSnapshot } from '../../protocol/messages.ts';
import { json, nowPlus, rowsOf, textArray } from '../db/database.ts';
import type { LeaseState } from '../db/lease-state.ts';
import type { Dispatcher } from '../dispatch.ts';
import { type LeaseTaker, leaseOf } from '../leases/grant-leases.ts';
import type { LeaseDeps } from '../leases/lease-deps.ts';
import { settleByBridge } from '../leases/settle-run.ts';
import { type BrokenRun, checkSnapshot } from './check-snapshot.ts';
import type { IntakeTimes } from './intake-times.ts';
import { type JobData, plainJobData } from './job-data.ts';
import type { RunOutcome } from './run-outcome.ts';

/** A job as the lease row of its run remembers it. */
export interface JobName {
  queue: string;
  jobId: string;
  /** Since when it may run, ms since 1970 by the clock of whoever added it. */
  addedAtMs: number;
}

/** What became of a job: its run waits or executes, is over already, or is none that can be started. */
export type Attached =
  | { is: 'open'; length: FlowLength }
  | { is: 'over'; outcome: RunOutcome }
  | { is: 'refused'; reason: string };

/** Of a run whose flow is not read here. */
const unknownLength: FlowLength = { steps: 0, isStraight: true };

type AttachDeps = LeaseDeps & { clock: Clock; times: IntakeTimes; dispatcher: Dispatcher };

/**
 * Makes the run of a job one of ours: its lease row is added, unless there is one already, from this job or another. It is
 * `ready`, or `offered` at once to a runner that waits here while no other run waits for that. A flow that cannot run ends its
 * run at once. Two statements when all is well. Rejects with the signal's reason when that is aborted while it waits for
 * the row.
 */
export async function attachRun(
  deps: AttachDeps,
  job: JobName,
  data: JobData,
  signal: AbortSignal,
): Promise<Attached> {
  const { runId } = data;
  for (let looks = 0; ; ) {
    const { state, nodes, edges, ...row } = await readRow(deps, runId);
    if (state === 'done' || state === 'failed' || state === 'cancelled') {
      return { is: 'over', outcome: { ...row, runId } };
    }
    if (state === null && !row.exists) {
      const waitMs = deps.times.rowWaitsMs[looks++];
      if (waitMs === undefined) return refused(`run ${runId} is not in the table runs`);
      await deps.clock.sleep(waitMs, signal);
      continue;
    }
    if (state === null && row.status !== 'queued') {
      const status = row.status === null ? 'without a status' : `"${row.status}"`;
      return refused(`run ${runId} is ${status}; only a queued run is started`);
    }
    // A regular look ends those whose row was deleted.
    if (!row.exists) return { is: 'open', length: unknownLength };
    // One that waits already has the variables it came with.
    const checked = checkSnapshot(nodes, edges, state === null || row.isBarred ? data.variables : {});
    if ('broken' in checked) {
      // One that a runner has is judged by that runner.
      if (state === 'offered' || state === 'leased') return { is: 'open', length: unknownLength };
      await endBroken(deps, job, data, checked.broken, sql`true`);
    } else {
      const { length, flow } = checked;
      // A job that is right makes its run start, although a bridge was killed while it ended it for another job.
      if (row.isBarred) await removeBarred(deps, runId);
      else if (state !== null) return { is: 'open', length };
      if (await addLease(deps, job, data, flow)) return { is: 'open', length };
    }
    // It is over now, or somebody else was first, or the row has changed: the row says which.
  }
}

/** Adds the lease, and gives it to a runner that waits here where that is its turn. False when there was one, or the row has changed. */
async function addLease(deps: AttachDeps, job: JobName, data: JobData, flow: FlowSnapshot): Promise<boolean> {
  const { workspace, labels, runId, variables, onRedelivery } = data;
  const waiting = deps.dispatcher.reserve(workspace, labels);
  let added: AddedLease | null = null;
  try {
    added = await insertLease(deps, job, data, deps.now(), waiting?.taker ?? null);
  } finally {
    if (added?.state !== 'offered') waiting?.release();
  }
  if (added === null) return false;
  const { leaseId } = added;
  if (waiting !== null && added.state === 'offered') {
    const run = { leaseId, runId, fence: 1, attempt: 1, name: null, variables, onRedelivery, ...flow };
    await waiting.give(leaseOf(run, deps.timing));
  } else deps.hints.publish({ about: 'ready', workspace, labels });
  return true;
}

/**
 * Says on the row of a run why its job cannot be used, when the run waits for a job. Nothing changes when it does not exist,
 * is not queued, or has a lease.
 */
export async function failUnusableJob(
  deps: LeaseDeps,
  job: JobName,
  runId: string,
  reason: string,
): Promise<void> {
  const broken: BrokenRun = {
    error: { code: 'job_invalid', message: reason },
    // A backend's UI reads the row, and knows nothing of our error.
    stepsResult: [
      {
        nodeId: '(job)',
        type: 'job',
        status: 'failed',
        durationMs: 0,
        error: reason.slice(0, limits.textLength),
        errorKind: 'invalid_data',
      },
    ],
  };
  // Another job of the run may be right: its lease is not touched.
  await endBroken(deps, job, plainJobData(runId), broken, sql`l.available_at = 'infinity'::timestamptz`);
}

// Both through the lease row, so that there is one writer of final states and the ending is told like every other.
async function endBroken(
  deps: LeaseDeps,
  job: JobName,
  data: JobData,
  broken: BrokenRun,
  which: SQL,
): Promise<void> {
  // Never to be granted, should this bridge end between the two statements; the job's next delivery ends it then.
  // Its variables are not needed any more, and may be too many to keep.
  await insertLease(deps, job, { ...data, variables: {} }, sql`'infinity'::timestamptz`, null);
  await settleByBridge(deps, {
    guard: sql`l.run_id = ${data.runId}::uuid and l.state = 'ready' and ${which}`,
    state: 'failed',
    ...broken,
  });
}

async function removeBarred({ db }: LeaseDeps, runId: string): Promise<void> {
  await db.execute(sql`
    delete from qualinet.leases
    where run_id = ${runId}::uuid and state = 'ready' and available_at = 'infinity'::timestamptz`);
}

function refused(reason: string): Attached {
  return { is: 'refused', reason };
}

interface FoundRow extends Omit<RunOutcome, 'runId'> {
  exists: boolean;
  nodes: unknown;
  edges: unknown;
  /** State of its lease; null when it has none. */
  state: LeaseState | null;
  /** True when that was added only to end a run that cannot start. */
  isBarred: boolean;
}

async function readRow({ db }: LeaseDeps, runId: string): Promise<FoundRow> {
  const [row] = await rowsOf<FoundRow>(
    db,
    sql`
      select r.id is not null as exists, r.status, r.duration_ms::float8 as "durationMs",
        case when l.state in ('done', 'failed', 'cancelled') then r.steps_result end as "stepsResult",
        r.snapshot_nodes as nodes, r.snapshot_edges as edges, l.state, l.error,
        coalesce(l.available_at = 'infinity', false) as "isBarred"
      from (select ${runId}::uuid as id) wanted
      left join public.runs r on r.id = wanted.id left join qualinet.leases l on l.run_id = wanted.id`,
  );
  if (row === undefined) throw new Error('a row of constants was not returned');
  return row;
}

interface AddedLease {
  leaseId: string;
  state: 'ready' | 'offered';
}

/**
 * Null when there is a lease already, or the run is not queued any more. `taker` is offered the run in the same statement,
 * unless another run of the workspace waits: then the order among them decides.
 */
async function insertLease(
  { db, now, timing }: LeaseDeps,
  { queue, jobId, addedAtMs }: JobName,
  { runId, workspace, labels, priority, variables, onRedelivery, traceParent }: JobData,
  availableAt: SQL,
  taker: LeaseTaker | null,
): Promise<AddedLease | null> {
  const takerId = taker?.runnerId ?? null;
  const [added] = await rowsOf<AddedLease>(
    db,
    sql`
      insert into qualinet.leases
        (id, run_id, workspace, labels, priority, variables, on_redelivery, queued_at, available_at, queue, job_id,
          trace_parent, state, fence, runner_id, offered_until)
      select ${randomUUID()}::uuid, r.id, ${workspace}, ${textArray(labels)}, ${priority}::int, ${json(variables)},
        ${onRedelivery}, least(${now()}, to_timestamp(${addedAtMs}::float8 / 1000)), ${availableAt}, ${queue}, ${jobId},
        ${traceParent}, case when taken then 'offered' else 'ready' end, taken::int,
        case when taken then ${takerId}::uuid end, case when taken then ${nowPlus(now, timing.offerMs)} end
      from public.runs r cross join (
        select exists (
            select 1 from qualinet.runners where id = ${takerId}::uuid and state = 'approved' and not draining
          ) and not exists (
            select 1 from qualinet.leases where state = 'ready' and workspace = ${workspace} and available_at <= ${now()}
          ) as taken
      ) turn
      where r.id = ${runId}::uuid and r.status = 'queued'
      on conflict (run_id) do nothing returning id as "leaseId", state`,
  );
  return added ?? null;
}
