import { sql } from 'drizzle-orm';
import type { WhyResponse } from '../../protocol/why-messages.ts';
import { epochMs, rowsOf } from '../db/database.ts';
import type { LeaseState } from '../db/lease-state.ts';
import type { LeaseDeps } from '../leases/lease-deps.ts';
import { runnersForRun } from './runners-for-run.ts';
import { summaryOf } from './why-summary.ts';

type ExplainDeps = Pick<LeaseDeps, 'db' | 'now' | 'timing'>;

/** Why a run waits, or that it does not; null when there is no row with this id. */
export async function explainRun(deps: ExplainDeps, runId: string): Promise<WhyResponse | null> {
  const run = await readWaiting(deps, runId);
  if (run === null) return null;
  const state = stateOf(run);
  const isReady = state === 'waiting' && run.leaseState !== null;
  const { runners, moreRunners } = isReady ? await runnersForRun(deps, run) : { runners: [], moreRunners: 0 };
  const why = {
    runId,
    status: run.status,
    state,
    waitingSince: isReady ? new Date(run.queuedAtMs).toISOString() : null,
    waitedMs: isReady ? rounded(run.nowMs - run.queuedAtMs) : null,
    availableAt:
      isReady && run.availableAtMs > run.nowMs && Number.isFinite(run.availableAtMs)
        ? new Date(run.availableAtMs).toISOString()
        : null,
    ahead: isReady ? run.ahead : 0,
    lastEndReason: run.lastEndReason,
    runners,
    moreRunners,
  };
  return { ...why, summary: summaryOf(why, { ...run, isTakenIn: run.leaseState !== null }) };
}

/** A run's row beside its lease, if a bridge has taken it in; times are null without one. */
interface RunRow {
  status: string;
  leaseState: LeaseState | null;
  workspace: string;
  labels: string[];
  queuedAtMs: number;
  availableAtMs: number;
  startedAtMs: number | null;
  nowMs: number;
  lastEndReason: string | null;
  runnerName: string | null;
  ahead: number;
}

async function readWaiting({ db, now }: ExplainDeps, runId: string): Promise<RunRow | null> {
  const [row] = await rowsOf<RunRow>(
    db,
    sql`
      select coalesce(r.status, 'queued') as status, l.state as "leaseState", l.workspace, l.labels,
        ${epochMs(sql`l.queued_at`)} as "queuedAtMs", ${epochMs(sql`l.available_at`)} as "availableAtMs",
        ${epochMs(sql`l.started_at`)} as "startedAtMs", ${epochMs(now())} as "nowMs",
        l.last_end_reason as "lastEndReason", runner.name as "runnerName",
        case when l.state = 'ready' then (
          select count(*)::int from qualinet.leases o
          where o.state = 'ready' and o.workspace = l.workspace and o.available_at <= ${now()}
            and (-o.priority, o.queued_at, o.position) < (-l.priority, l.queued_at, l.position)
            and exists (
              select 1 from qualinet.runners t
              where t.workspace = l.workspace and t.state = 'approved' and not t.draining
                and t.labels @> l.labels and t.labels @> o.labels)
        ) else 0 end as ahead
      from public.runs r left join qualinet.leases l on l.run_id = r.id
        left join qualinet.runners runner on runner.id = l.runner_id
      where r.id = ${runId}::uuid`,
  );
  return row ?? null;
}

function stateOf({ status, leaseState }: RunRow): WhyResponse['state'] {
  // The row decides, as it does for whoever grants: a backend may have ended the run, and its lease ends soon.
  if (status !== 'queued' && status !== 'running') return 'over';
  switch (leaseState) {
    case null:
      return status === 'running' ? 'running' : 'waiting';
    case 'ready':
      return 'waiting';
    case 'offered':
      return 'offered';
    case 'leased':
      return 'running';
    default:
      return 'over';
  }
}

function rounded(ms: number): number {
  return Math.max(0, Math.round(ms));
}
