import { sql } from 'drizzle-orm';
import { type Database, rowsOf } from '../db/database.ts';
import { eventTable } from '../embedded/event-table.ts';
import { inProcessHints } from '../embedded/in-process-hints.ts';
import type { LateUpdates } from '../events/event-log.ts';

/** Runs looked at in one pass; the rest waits for the next. */
const batch = 500;

/** Late updates in the table that is the whole log of the embedded default, and empty here but for outages of Redis. */
export function lateUpdateTable(db: Database): LateUpdates {
  const table = eventTable({ db, hints: inProcessHints() });
  return {
    keep: (runId, updates) => table.add(runId, updates),
    read: (runId, position) => table.read(runId, position),
    async drop(runId, { fence, seq }) {
      await db.execute(sql`
        delete from qualinet.run_events
        where run_id = ${runId}::uuid and (fence, seq) <= (${fence}::int, ${seq}::int)`);
    },
    async runIds() {
      const rows = await rowsOf<{ runId: string }>(
        db,
        sql`select distinct run_id as "runId" from qualinet.run_events limit ${batch}`,
      );
      return rows.map(({ runId }) => runId);
    },
  };
}
