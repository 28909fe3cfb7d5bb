import { sql } from 'drizzle-orm';
import { nowPlus, rowsOf } from '../db/database.ts';
import { endAttempt } from './end-attempt.ts';
import type { LeaseDeps } from './lease-deps.ts';
import { runTimeout, settleByBridge } from './settle-run.ts';

/** Rows looked at in one pass; the rest waits for the next. */
const batch = 500;

/**
 * Ends what nobody keeps: offers without acknowledgement, runs past their deadline, and leases whose last heartbeat is
 * ttl + gap ago (the gap is on this side, so that the old runner has stopped before a new one starts). Several bridges
 * may sweep at once: every change is guarded by the fence. Runs whose rows the backend has locked wait for that without holding up others.
 * Throws the first problem once it has ended what it can.
 */
export async function sweepLeases(deps: LeaseDeps): Promise<void> {
  const { db, now, timing } = deps;
  const overdue = await rowsOf<Overdue>(
    db,
    sql`
      with overdue as materialized (
        select id, run_id, fence, case
            when state = 'offered' then 'not_acknowledged'
            when deadline_at <= ${now()} then 'deadline'
            else 'expired' end as cause
        from qualinet.leases
        where state in ('offered', 'leased') and (
          (state = 'offered' and offered_until <= ${now()})
          or (state = 'leased' and (deadline_at <= ${now()} or expires_at <= ${nowPlus(now, -timing.releaseGapMs)})))
        limit ${batch}
      )
      select id as "leaseId", fence, cause from overdue o
      where not exists (select from public.runs r where r.id = o.run_id)
        or exists (select from public.runs r where r.id = o.run_id for no key update skip locked)`,
  );
  let problem: { error: unknown } | null = null;
  for (const one of overdue) {
    try {
      await endOverdue(deps, one);
    } catch (error) {
      // What one run has done may be in a log that cannot be reached for hours: the others do not wait for that.
      problem ??= { error };
    }
  }
  if (problem !== null) throw problem.error;
}

interface Overdue {
  leaseId: string;
  fence: number;
  cause: 'not_acknowledged' | 'deadline' | 'expired';
}

async function endOverdue(deps: LeaseDeps, { leaseId, fence, cause }: Overdue): Promise<void> {
  if (cause === 'deadline') {
    await settleByBridge(deps, {
      guard: sql`l.id = ${leaseId}::uuid and l.fence = ${fence} and l.state = 'leased'`,
      state: 'failed',
      error: runTimeout,
    });
  } else {
    await endAttempt(deps, { leaseId, fence, reason: cause, releasedBy: null, isFree: false });
  }
}
