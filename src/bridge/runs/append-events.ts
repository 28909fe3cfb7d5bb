import { sql } from 'drizzle-orm';
import type { NumberedEvent } from '../../protocol/run-result.ts';
import { json, rowsOf } from '../db/database.ts';
import type { LeaseDeps } from '../leases/lease-deps.ts';
import type { HeldLease } from '../leases/lease-state.ts';
import { issuedUrls } from './screenshots.ts';

/**
 * Stores events of a held lease, each once: those already there are passed over, those after a gap are not taken. Returns
 * the number of the last one stored without a gap. Null when the lease is not this runner's under this fence; a batch
 * repeated after the run's end gets its answer again. The batch must be numbered without gaps in itself.
 */
export async function appendEvents(
  { db, hints }: LeaseDeps,
  { leaseId, fence, runnerId }: HeldLease,
  events: readonly NumberedEvent[],
): Promise<number | null> {
  const first = events[0]?.seq ?? 1;
  const last = events.at(-1)?.seq ?? 0;
  const [stored] = await rowsOf<{ runId: string; ackedSeq: number; added: boolean }>(
    db,
    sql`
      with held as (
        select id, run_id, fence, last_seq from qualinet.leases
        where id = ${leaseId}::uuid and fence = ${fence} and runner_id = ${runnerId}::uuid and state = 'leased'
        for update
      ), added as (
        insert into qualinet.run_events (run_id, fence, seq, at, event)
        select h.run_id, h.fence, e.seq, e.at, e.event
        from held h, jsonb_to_recordset(${json(await withOwnUrlsOnly(db, leaseId, events))})
          as e(seq int, at timestamptz, event jsonb)
        where e.seq > h.last_seq and h.last_seq >= ${first - 1}::int
      ), moved as (
        update qualinet.leases l set last_seq = greatest(l.last_seq, ${last}::int)
        from held h where l.id = h.id and h.last_seq >= ${first - 1}::int and h.last_seq < ${last}::int
        returning l.last_seq
      )
      select h.run_id as "runId", coalesce((select last_seq from moved), h.last_seq) as "ackedSeq",
        exists (select 1 from moved) as added
      from held h`,
  );
  if (stored !== undefined) {
    if (stored.added) hints.publish({ about: 'run', runId: stored.runId });
    return stored.ackedSeq;
  }
  const [ended] = await rowsOf<{ lastSeq: number }>(
    db,
    sql`
      select last_seq as "lastSeq" from qualinet.leases
      where id = ${leaseId}::uuid and fence = ${fence} and runner_id = ${runnerId}::uuid
        and state in ('done', 'failed', 'cancelled') and last_seq >= ${last}::int`,
  );
  return ended?.lastSeq ?? null;
}

async function withOwnUrlsOnly(
  db: LeaseDeps['db'],
  leaseId: string,
  events: readonly NumberedEvent[],
): Promise<readonly NumberedEvent[]> {
  if (!events.some(({ event }) => 'screenshotUrl' in event)) return events;
  const issued = await issuedUrls(db, leaseId);
  return events.map((numbered) => {
    const { event } = numbered;
    if (!('screenshotUrl' in event) || event.screenshotUrl === undefined || issued.has(event.screenshotUrl)) {
      return numbered;
    }
    const { screenshotUrl: _, ...rest } = event;
    return { ...numbered, event: rest };
  });
}
