import { createHash, randomUUID } from 'node:crypto';
import { type SQL, sql } from 'drizzle-orm';
import type * as z from 'zod';
import { checkFlow } from '../../flow/check-flow.ts';
import type { RunView, runsQuery, SubmitRequest } from '../../protocol/messages.ts';
import { epochMs, json, rowsOf, sqlState, textArray } from '../db/database.ts';
import type { LeaseDeps } from '../leases/lease-deps.ts';
import { ProblemError } from '../problem-error.ts';
import { parseTraceParent } from '../tracing/trace-parent.ts';

/**
 * Queues a flow; its trace belongs to the W3C `traceParent`, where that is one. Throws `flow_invalid` with every problem of the flow (variables may still come from the runner), and
 * `malformed_request` when the backend's table wants the id of one of its own flows.
 */
export async function submitRun(
  { db, now, hints }: LeaseDeps,
  request: SubmitRequest,
  traceParent?: string,
): Promise<{ runId: string; status: 'queued' }> {
  const { nodes, edges, name = null, variables = {}, workspace = 'default', labels = [] } = request;
  const checked = checkFlow({ nodes, edges }, null);
  if (!checked.ok) {
    const errors = checked.problems.map(({ nodeId, message }) => ({ path: nodeId ?? '(flow)', message }));
    throw new ProblemError('flow_invalid', { detail: `the flow has ${errors.length} problem(s)`, errors });
  }
  const runId = randomUUID();
  try {
    await db.execute(sql`
      with run as (
        insert into public.runs (id, flow_id, snapshot_nodes, snapshot_edges, status)
        values (${runId}::uuid, ${request.flowId ?? flowIdOf(request)}::uuid, ${json(nodes)}, ${json(edges)}, 'queued')
      )
      insert into qualinet.leases
        (id, run_id, workspace, labels, priority, name, variables, on_redelivery, state, queued_at, available_at,
          trace_parent)
      values (${randomUUID()}::uuid, ${runId}::uuid, ${workspace}, ${textArray(labels)}, ${request.priority ?? 0},
        ${name}, ${json(variables)}, ${request.onRedelivery ?? 'rerun'}, 'ready', ${now()}, ${now()},
        ${parseTraceParent(traceParent) === null ? null : traceParent})`);
  } catch (error) {
    if (sqlState(error) !== foreignKeyViolation) throw error;
    const message = "must be the id of a flow in the backend's own tables, which the table runs refers to";
    throw new ProblemError('malformed_request', { errors: [{ path: 'flowId', message }] });
  }
  hints.publish({ about: 'ready', workspace, labels });
  return { runId, status: 'queued' };
}

/** One run with its result; null when there is none with this id. */
export async function readRun({ db }: Pick<LeaseDeps, 'db'>, runId: string): Promise<RunView | null> {
  const [row] = await selectRuns(db, sql`r.steps_result`, sql`where l.run_id = ${runId}::uuid`);
  return row === undefined ? null : viewOf(row);
}

/** The newest runs first, without their results. */
export async function listRuns(
  { db }: Pick<LeaseDeps, 'db'>,
  { status, workspace, limit = 100 }: z.output<typeof runsQuery>,
): Promise<Omit<RunView, 'stepsResult'>[]> {
  const rows = await selectRuns(
    db,
    sql`null`,
    sql`
      where ${status === undefined ? sql`true` : sql`r.status = ${status}`}
        and ${workspace === undefined ? sql`true` : sql`l.workspace = ${workspace}`}
      order by l.queued_at desc, l.position desc limit ${limit}`,
  );
  return rows.map((row) => {
    const { stepsResult: _, ...view } = viewOf(row);
    return view;
  });
}

type RunRow = Omit<RunView, 'queuedAt' | 'endedAt'> & { queuedAtMs: number; endedAtMs: number | null };

function selectRuns(db: LeaseDeps['db'], stepsResult: SQL, condition: SQL): Promise<RunRow[]> {
  return rowsOf<RunRow>(
    db,
    sql`
      select l.run_id as "runId", l.name, r.status, l.workspace, l.labels,
        l.attempts + (l.state = 'offered')::int as attempt, l.last_end_reason as "lastEndReason",
        l.runner_id as "runnerId", ${epochMs(sql`l.queued_at`)} as "queuedAtMs",
        ${epochMs(sql`l.ended_at`)} as "endedAtMs", r.duration_ms as "durationMs",
        ${stepsResult} as "stepsResult", l.error
      from qualinet.leases l join public.runs r on r.id = l.run_id ${condition}`,
  );
}

function viewOf({ queuedAtMs, endedAtMs, ...row }: RunRow): RunView {
  return {
    ...row,
    queuedAt: new Date(queuedAtMs).toISOString(),
    endedAt: endedAtMs === null ? null : new Date(endedAtMs).toISOString(),
  };
}

/** Source: postgresql.org/docs/current/errcodes-appendix.html. */
const foreignKeyViolation = '23503';

// The backend's column needs a flow's id; without a backend, the same flow gets the same one.
function flowIdOf({ name, nodes, edges }: SubmitRequest): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([name ?? null, nodes, edges]))
    .digest('hex');
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    `a${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join('-');
}
