import { sql } from 'drizzle-orm';
import { rowsOf } from '../db/database.ts';
import { endAttempt } from './end-attempt.ts';
import type { LeaseDeps } from './lease-deps.ts';

/** Who asked about a lease was told that its runner was revoked. */
export interface RevokedTold {
  leaseId: string;
  runnerId: string;
  /** False when it was not the runner that asked: a request of it can be sent again by somebody else. */
  isGenuine(): Promise<boolean>;
}

/**
 * Ends the attempt of a runner that was revoked, once the process that holds the lease has been told: it acts no more, so that
 * its run need not wait for the lease to run out. One that is not heard of may still act, and its run waits.
 */
export async function endRevoked(
  deps: LeaseDeps,
  { leaseId, runnerId, isGenuine }: RevokedTold,
): Promise<void> {
  const [held] = await rowsOf<{ fence: number }>(
    deps.db,
    sql`
      select l.fence from qualinet.leases l join qualinet.runners r on r.id = l.runner_id
      where l.id = ${leaseId}::uuid and l.runner_id = ${runnerId}::uuid and l.state in ('offered', 'leased')
        and r.state = 'revoked'`,
  );
  if (held === undefined || !(await isGenuine())) return;
  await endAttempt(deps, {
    leaseId,
    fence: held.fence,
    reason: 'revoked',
    releasedBy: runnerId,
    isFree: false,
  });
}
