import { sql } from 'drizzle-orm';
import { protocolVersion } from '../../protocol/limits.ts';
import { epochMs, rowsOf } from '../db/database.ts';
import type { LeaseDeps } from '../leases/lease-deps.ts';
import { concurrency, isOnline, protocolOf, withHeld } from '../runners/runner-activity.ts';

/** Runs that wait, of one workspace with the same labels. */
export interface WaitingRuns {
  workspace: string;
  labels: string[];
  waiting: number;
  /** Of those: handed back, and to be given out again later. */
  delayed: number;
  oldestMs: number;
}

/** Runners of one workspace with the same labels, in the same state. */
export interface RunnerGroup {
  workspace: string;
  labels: string[];
  state: 'idle' | 'busy' | 'draining' | 'offline' | 'too_old' | 'pending';
  runners: number;
  slots: number;
  free: number;
}

/** What the database says now. */
export interface Fleet {
  waiting: readonly WaitingRuns[];
  held: Readonly<Record<'offered' | 'leased', number>>;
  runners: readonly RunnerGroup[];
  /** Since a bridge last looked over the leases; null before the first time. */
  sweptMsAgo: number | null;
}

/** Reads what the gauges are made of, in three statements however many runs and runners there are. */
export async function readFleet({
  db,
  now,
  timing,
}: Pick<LeaseDeps, 'db' | 'now' | 'timing'>): Promise<Fleet> {
  const nowMs = epochMs(now());
  const [waiting, [others], runners] = await Promise.all([
    rowsOf<WaitingRuns>(
      db,
      sql`
        select workspace, labels, count(*)::int as waiting,
          (count(*) filter (where available_at > ${now()}))::int as delayed,
          greatest(0, ${nowMs} - ${epochMs(sql`min(queued_at)`)}) as "oldestMs"
        from qualinet.leases where state = 'ready' group by workspace, labels`,
    ),
    rowsOf<{ offered: number; leased: number; sweptMsAgo: number | null }>(
      db,
      sql`
        select (count(*) filter (where state = 'offered'))::int as offered,
          (count(*) filter (where state = 'leased'))::int as leased,
          (select greatest(0, ${nowMs} - ${epochMs(sql`at`)}) from qualinet.marks where name = 'swept') as "sweptMsAgo"
        from qualinet.leases where state in ('offered', 'leased')`,
    ),
    rowsOf<RunnerGroup>(
      db,
      sql`
        select workspace, labels, state, count(*)::int as runners, sum(slots)::int as slots, sum(free)::int as free
        from (
          select runner.workspace, runner.labels, ${concurrency} as slots,
            greatest(0, ${concurrency} - coalesce(held.holds, 0)) as free,
            case when runner.state = 'pending' then 'pending'
              when not ${isOnline(now)} then 'offline'
              when ${protocolOf} <> ${protocolVersion}::int then 'too_old'
              when runner.draining then 'draining'
              when coalesce(held.holds, 0) > 0 then 'busy'
              else 'idle' end as state
          from qualinet.runners runner ${withHeld(timing)}
          where runner.state = 'approved' or (runner.state = 'pending' and runner.pairing_expires_at > ${now()})
        ) each_runner
        group by workspace, labels, state`,
    ),
  ]);
  return {
    waiting,
    held: { offered: others?.offered ?? 0, leased: others?.leased ?? 0 },
    runners,
    sweptMsAgo: others?.sweptMsAgo ?? null,
  };
}
