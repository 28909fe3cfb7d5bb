import { sql } from 'drizzle-orm';
import type { RunUpdate } from '../../protocol/run-result.ts';
import { type Database, epochMs, json, rowsOf } from '../db/database.ts';
import { type EventLog, updatesPerPage } from '../events/event-log.ts';
import type { Hints } from '../hints.ts';

/** Updates of runs in the table `qualinet.run_events`. */
export function eventTable({ db, hints }: { db: Database; hints: Hints }): EventLog {
  return {
    async add(runId, updates) {
      const rows = updates.map(({ runId: _, fence, seq, at, ...event }) => ({ fence, seq, at, event }));
      await db.execute(sql`
        insert into qualinet.run_events (run_id, fence, seq, at, event)
        select ${runId}::uuid, u.fence, u.seq, u.at, u.event
        from jsonb_to_recordset(${json(rows)}) as u(fence int, seq int, at timestamptz, event jsonb)
        where not exists (
          select 1 from qualinet.run_events e
          where e.run_id = ${runId}::uuid and (e.fence, e.seq) >= (u.fence, u.seq))
        on conflict do nothing`);
      hints.publish({ about: 'run', runId });
    },
    async read(runId, { fence, seq }) {
      const rows = await rowsOf<{ fence: number; seq: number; atMs: number; event: object }>(
        db,
        sql`
          select fence, seq, ${epochMs(sql`at`)} as "atMs", event from qualinet.run_events
          where run_id = ${runId}::uuid and (fence, seq) > (${fence}::int, ${seq}::int)
          order by fence, seq limit ${updatesPerPage}`,
      );
      // The rows hold what add() wrote, and nothing else writes them.
      return rows.map(
        ({ atMs, event, ...at }) =>
          ({ ...event, runId, ...at, at: new Date(atMs).toISOString() }) as RunUpdate,
      );
    },
  };
}
