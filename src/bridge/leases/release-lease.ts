import { sql } from 'drizzle-orm';
import type { releaseReasons } from '../../protocol/messages.ts';
import { rowsOf } from '../db/database.ts';
import { endAttempt } from './end-attempt.ts';
import type { HeldLease } from './held-lease.ts';
import type { LeaseDeps } from './lease-deps.ts';

/**
 * A runner hands its run back. Draining, shutdown and a browser that cannot start use up no attempt before the first step.
 * False when the lease is not this runner's under this fence; true again for the same release repeated.
 */
export async function releaseLease(
  deps: LeaseDeps,
  { leaseId, fence, runnerId }: HeldLease,
  { reason, detail }: { reason: (typeof releaseReasons)[number]; detail?: string | undefined },
): Promise<boolean> {
  const [lease] = await rowsOf<{ holds: boolean; released: boolean }>(
    deps.db,
    sql`
      select coalesce(fence = ${fence} and runner_id = ${runnerId}::uuid and state in ('offered', 'leased'), false)
          as holds,
        coalesce(released_fence = ${fence} and released_by = ${runnerId}::uuid, false) as released
      from qualinet.leases where id = ${leaseId}::uuid`,
  );
  if (lease === undefined || (!lease.holds && !lease.released)) return false;
  if (lease.released) return true;
  const isFree = reason !== 'interrupted';
  return endAttempt(deps, { leaseId, fence, reason, detail, releasedBy: runnerId, isFree });
}
