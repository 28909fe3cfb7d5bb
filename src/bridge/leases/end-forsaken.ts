import { sql } from 'drizzle-orm';
import { rowsOf } from '../db/database.ts';
import type { LeaseDeps } from './lease-deps.ts';
import { settleByBridge } from './settle-run.ts';

/** Rows looked at in one pass; the rest waits for the next. */
const batch = 500;

/**
 * Ends the leases of runs that the backend itself has ended or deleted: their rows say so, and stay as they are. A runner
 * that executes one learns it with its next heartbeat.
 */
export async function endForsaken(deps: LeaseDeps): Promise<void> {
  const forsaken = await rowsOf<{ leaseId: string; status: string | null; isDeleted: boolean }>(
    deps.db,
    sql`
      select l.id as "leaseId", r.status, r.id is null as "isDeleted"
      from qualinet.leases l left join public.runs r on r.id = l.run_id
      where l.state in ('ready', 'offered', 'leased') and coalesce(r.status, '') not in ('queued', 'running')
      limit ${batch}`,
  );
  for (const { leaseId, status, isDeleted } of forsaken) {
    await settleByBridge(deps, {
      guard: sql`l.id = ${leaseId}::uuid and l.state in ('ready', 'offered', 'leased')
        and coalesce(r.status, '') not in ('queued', 'running')`,
      state: 'cancelled',
      error: {
        code: 'ended_elsewhere',
        message: isDeleted
          ? 'The row of this run was deleted.'
          : `The row of this run was set to ${status === null ? 'no status' : `"${status}"`} by somebody else.`,
      },
    });
  }
}
