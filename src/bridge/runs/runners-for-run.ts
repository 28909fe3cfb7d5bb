import { sql } from 'drizzle-orm';
import { protocolVersion } from '../../protocol/limits.ts';
import type { runnerStates } from '../../protocol/messages.ts';
import type { Lack, WhyResponse } from '../../protocol/why-messages.ts';
import { epochMs, literalInteger, nowPlus, rowsOf } from '../db/database.ts';
import type { LeaseDeps } from '../leases/lease-deps.ts';
import { concurrency, isOnline, lastSeenAt, protocolOf, withHeld } from '../runners/runner-activity.ts';

/** Runners listed; a workspace may have gathered thousands that were revoked long ago. */
const maxRunners = 200;
/** Newest runs among which finished ones are looked for: the backend's table has no index for that. */
const newestRuns = 5_000;
/** Finished runs that say how long one takes: of the same flow, else of the workspace. */
const runsOfFlow = 20;
const runsOfWorkspace = 50;

/** What every runner of the run's workspace lacks to take it, those that come closest first. */
export async function runnersForRun(
  { db, now, timing }: Pick<LeaseDeps, 'db' | 'now' | 'timing'>,
  { workspace, labels }: { workspace: string; labels: readonly string[] },
): Promise<Pick<WhyResponse, 'runners' | 'moreRunners'>> {
  const elapsedMs = sql`coalesce(${epochMs(now())} - ${epochMs(sql`l.started_at`)}, 0)`;
  const rows = await rowsOf<RunnerRow>(
    db,
    sql`
      with newest as materialized (
        select run_id, workspace, state, ended_at from qualinet.leases order by queued_at desc limit ${literalInteger(newestRuns)}
      ), finished as (
        select r.flow_id, r.duration_ms,
          row_number() over (partition by r.flow_id order by n.ended_at desc) as of_flow,
          row_number() over (order by n.ended_at desc) as of_workspace
        from newest n join public.runs r on r.id = n.run_id
        where n.workspace = ${workspace} and n.state = 'done' and r.duration_ms is not null
      ), flows as (
        select flow_id, percentile_cont(0.5) within group (order by duration_ms) as usual_ms
        from finished where of_flow <= ${runsOfFlow} group by flow_id
      ), every_flow as (
        select percentile_cont(0.5) within group (order by duration_ms) as usual_ms
        from finished where of_workspace <= ${runsOfWorkspace}
      ), free as (
        select l.runner_id,
          min(coalesce(f.usual_ms, e.usual_ms) - ${elapsedMs}) as in_ms,
          min(coalesce(${epochMs(sql`l.deadline_at`)} - ${epochMs(now())}, ${timing.runMs + timing.offerMs}::float8)) as at_most_ms
        from qualinet.leases l join public.runs r on r.id = l.run_id
          left join flows f on f.flow_id = r.flow_id cross join every_flow e
        where l.workspace = ${workspace} and l.state in ('offered', 'leased') group by l.runner_id
      )
      select runner.id as "runnerId", runner.name, runner.state, runner.labels, runner.draining,
        ${isOnline(now)} as online, ${epochMs(lastSeenAt)} as "lastSeenAtMs", coalesce(held.holds, 0) as holds,
        ${concurrency} as concurrency, ${protocolOf} as protocol, free.in_ms as "freeInMs",
        free.at_most_ms as "freeAtMostMs", (count(*) over ())::int as "allRunners"
      from qualinet.runners runner ${withHeld(timing)} left join free on free.runner_id = runner.id
      where runner.workspace = ${workspace} and (runner.state <> 'pending' or runner.pairing_expires_at > ${now()})
      order by runner.state = 'approved' desc, ${lastSeenAt} > ${nowPlus(now, -timing.runMs)} desc nulls last,
        runner.created_at desc
      limit ${literalInteger(maxRunners)}`,
  );
  const runners = rows.map((row) => {
    const lacks = lacksOf(row, labels);
    return { runnerId: row.runnerId, name: row.name, lacks, canTake: lacks.length === 0 };
  });
  return {
    runners: runners.sort((a, b) => a.lacks.length - b.lacks.length),
    moreRunners: (rows[0]?.allRunners ?? 0) - rows.length,
  };
}

interface RunnerRow {
  runnerId: string;
  name: string;
  state: (typeof runnerStates)[number];
  labels: string[];
  draining: boolean;
  online: boolean;
  lastSeenAtMs: number | null;
  holds: number;
  concurrency: number;
  protocol: number | null;
  freeInMs: number | null;
  freeAtMostMs: number | null;
  allRunners: number;
}

function lacksOf(runner: RunnerRow, labels: readonly string[]): Lack[] {
  const { state, holds, protocol, lastSeenAtMs } = runner;
  const missing = labels.filter((label) => !runner.labels.includes(label));
  const ofLabels: Lack[] = missing.length === 0 ? [] : [{ what: 'labels', missing }];
  // One that was never approved, or no longer is, does not poll: that it is offline says nothing.
  if (state !== 'approved') return [{ what: 'not_approved', state }, ...ofLabels];
  const lacks: (Lack | null)[] = [
    ...ofLabels,
    protocol === null || protocol === protocolVersion
      ? null
      : { what: 'too_old', protocol, needs: protocolVersion },
    runner.online
      ? null
      : {
          what: 'offline',
          lastSeenAt: lastSeenAtMs === null ? null : new Date(lastSeenAtMs).toISOString(),
        },
    runner.draining ? { what: 'draining' } : null,
    holds < runner.concurrency
      ? null
      : {
          what: 'full',
          holds,
          concurrency: runner.concurrency,
          freeInMs: runner.freeInMs === null ? null : wholeMs(runner.freeInMs),
          freeAtMostMs: wholeMs(runner.freeAtMostMs ?? 0),
        },
  ];
  return lacks.filter((lack) => lack !== null);
}

function wholeMs(ms: number): number {
  return Math.max(0, Math.round(ms));
}
