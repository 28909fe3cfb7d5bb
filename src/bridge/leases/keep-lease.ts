import { sql } from 'drizzle-orm';
import { epochMs, nowPlus, rowsOf } from '../db/database.ts';
import { type BegunAttempt, hasLateUpdates } from '../events/teller.ts';
import type { HeldLease } from './held-lease.ts';
import type { LeaseDeps } from './lease-deps.ts';
import { isSweptByClock } from './silence.ts';

/** A lease that was kept: time left to its deadline, and whether an operator asked to cancel. */
export interface KeptLease {
  remainingMs: number;
  cancelRequested: boolean;
}

/**
 * A heartbeat. The first one takes the offer (`offered` -> `leased`): the run becomes `running`, its deadline starts, and
 * `run_start` is told. Each one extends the lease, and none shortens it: the runner may act for as long as another bridge,
 * with a longer ttl, has promised it, and never hear of the shorter one. Null when the lease is not this runner's under
 * this fence, or is over. Whether it is past its deadline is left to the next sweep while the clock may have been set.
 */
export async function keepLease(
  { db, now, timing, teller }: LeaseDeps,
  { leaseId, fence, runnerId }: HeldLease,
  nodeId: string | null,
): Promise<KeptLease | null> {
  const [kept] = await rowsOf<KeptRow>(
    db,
    sql`
      with before as (
        select l.id, l.state = 'offered' as offered from qualinet.leases l join public.runs r on r.id = l.run_id
        where l.id = ${leaseId}::uuid and l.fence = ${fence} and l.runner_id = ${runnerId}::uuid
          and l.state in ('offered', 'leased')
          and (l.deadline_at is null or l.deadline_at > ${now()} or not ${isSweptByClock(now)})
          and r.status in ('queued', 'running')
        for update of l
      ), kept as (
        update qualinet.leases l
        set state = 'leased', expires_at = greatest(l.expires_at, ${nowPlus(now, timing.leaseTtlMs)}), node_id = ${nodeId},
          offered_until = null, attempts = l.attempts + b.offered::int,
          started_at = case when b.offered then ${now()} else l.started_at end,
          deadline_at = case when b.offered then ${nowPlus(now, timing.runMs)} else l.deadline_at end
        from before b where l.id = b.id
        returning l.run_id, l.attempts, l.started_at, l.deadline_at, l.cancel_requested_at, b.offered
      ), running as (
        update public.runs r set status = 'running' from kept
        where kept.offered and r.id = kept.run_id and r.status in ('queued', 'running')
      )
      select l.run_id as "runId", l.offered as taken, l.attempts, ${epochMs(sql`l.started_at`)} as "startedAtMs",
        runner.name as "runnerName", l.cancel_requested_at is not null as "cancelRequested",
        case when ${isSweptByClock(now)} then ${epochMs(sql`l.deadline_at`)} - ${epochMs(now())}
          else ${timing.leaseTtlMs}::float8 end as "remainingMs",
        l.offered and ${hasLateUpdates} as "hasLate"
      from kept l join qualinet.runners runner on runner.id = ${runnerId}::uuid`,
  );
  if (kept === undefined) return null;
  const { taken, remainingMs, cancelRequested, hasLate, ...attempt } = kept;
  if (taken) await teller.started({ ...attempt, fence, runnerId }, hasLate);
  return { remainingMs: Math.max(0, Math.round(remainingMs)), cancelRequested };
}

type KeptRow = KeptLease & Omit<BegunAttempt, 'fence' | 'runnerId'> & { taken: boolean; hasLate: boolean };
