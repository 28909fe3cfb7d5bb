import { sql } from 'drizzle-orm';
import { rowsOf } from '../db/database.ts';
import { endAttempt } from './end-attempt.ts';
import type { LeaseDeps } from './lease-deps.ts';

/**
 * Ends the attempt of a runner that was revoked, once the process that holds the lease has been told: it acts no more, so that
 * its run need not wait for the lease to run out. One that is not heard of may still act, and its run waits.
 */
export async function endRevoked(
  deps: LeaseDeps,
  { leaseId, runnerId }: { leaseId: string; runnerId: string },
): Promise<void> {
  const [held] = await rowsOf<{ fence: number }>(
    deps.db,
    sql`
      select l.fence from qualinet.leases l join qualinet.runners r on r.id = l.runner_id
      where l.id = ${leaseId}::uuid and l.runner_id = ${runnerId}::uuid and l.state in ('offered', 'leased')
        and r.state = 'revoked'`,
  );
  if (held === undefined) return;
  await endAttempt(deps, {
    leaseId,
    fence: held.fence,
    reason: 'revoked',
    releasedBy: runnerId,
    isFree: false,
  });
}
