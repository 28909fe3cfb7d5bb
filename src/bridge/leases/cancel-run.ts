import { sql } from 'drizzle-orm';
import { rowsOf } from '../db/database.ts';
import type { LeaseDeps } from './lease-deps.ts';
import { settleByBridge } from './settle-run.ts';

/**
 * Asks for a run to end: at once while no runner has acknowledged it, with the runner's next heartbeat while it executes.
 * Changes nothing when the run is over or unknown.
 */
export async function cancelRun(deps: LeaseDeps, runId: string): Promise<void> {
  const [lease] = await rowsOf<{ id: string; state: string; runnerId: string | null }>(
    deps.db,
    sql`
      update qualinet.leases set cancel_requested_at = coalesce(cancel_requested_at, ${deps.now()})
      where run_id = ${runId}::uuid and state in ('ready', 'offered', 'leased')
      returning id, state, runner_id as "runnerId"`,
  );
  if (lease === undefined) return;
  // Whoever takes or loses the lease between these two statements sees the request on the row.
  const ended =
    lease.state !== 'leased' &&
    (await settleByBridge(deps, {
      guard: sql`l.id = ${lease.id}::uuid and l.state in ('ready', 'offered')`,
      state: 'cancelled',
      error: null,
    }));
  if (!ended && lease.runnerId !== null) {
    deps.hints.publish({ about: 'runner', runnerId: lease.runnerId, leaseId: lease.id });
  }
}
