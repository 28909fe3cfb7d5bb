import { sql } from 'drizzle-orm';
import type { NumberedEvent, RunUpdate } from '../../protocol/run-result.ts';
import { epochMs, rowsOf } from '../db/database.ts';
import { addOrKeep } from '../events/late-updates.ts';
import { hasLateUpdates, runStart } from '../events/teller.ts';
import { issuedUrls } from '../pictures/screenshots.ts';
import type { HeldLease } from './held-lease.ts';
import type { LeaseDeps } from './lease-deps.ts';

/**
 * Stores events of a held lease, each once: those already there are passed over, those after a gap are not taken. Returns
 * the number of the last one stored without a gap. Null when the lease is not this runner's under this fence; a batch
 * repeated after the run's end gets its answer again. The batch must be numbered without gaps in itself.
 *
 * The lease row is asked and moved first, so that what ends a run knows the last number that can come before its own
 * update; then the log takes the events. Between the two nothing was promised: the runner sends the batch again.
 */
export async function appendEvents(
  { db, events: log }: LeaseDeps,
  { leaseId, fence, runnerId }: HeldLease,
  events: readonly NumberedEvent[],
): Promise<number | null> {
  const first = events[0]?.seq ?? 1;
  const last = events.at(-1)?.seq ?? 0;
  const [held] = await rowsOf<{
    runId: string;
    ackedSeq: number;
    attempts: number;
    startedAtMs: number;
    runnerName: string;
    hasLate: boolean;
  }>(
    db,
    sql`
      with held as (
        select l.id, l.run_id, l.last_seq, l.attempts, l.started_at, ${hasLateUpdates} as has_late
        from qualinet.leases l
        where id = ${leaseId}::uuid and fence = ${fence} and runner_id = ${runnerId}::uuid and state = 'leased'
        for update
      ), moved as (
        update qualinet.leases l set last_seq = ${last}::int
        from held h where l.id = h.id and h.last_seq >= ${first - 1}::int and h.last_seq < ${last}::int
        returning l.last_seq
      )
      select h.run_id as "runId", coalesce((select last_seq from moved), h.last_seq) as "ackedSeq", h.attempts,
        h.has_late as "hasLate",
        ${epochMs(sql`h.started_at`)} as "startedAtMs",
        (select name from qualinet.runners where id = ${runnerId}::uuid) as "runnerName"
      from held h`,
  );
  if (held !== undefined) {
    const { ackedSeq, hasLate, ...attempt } = held;
    const own = await withOwnUrlsOnly(db, leaseId, events);
    const updates = own
      .filter(({ seq }) => seq <= ackedSeq)
      .map(({ seq, at, event }): RunUpdate => ({ ...event, runId: held.runId, fence, seq, at }));
    // The beginning may not have been told when it was time: nothing of an attempt comes before it.
    const begun = first === 1 ? [runStart({ ...attempt, fence, runnerId })] : [];
    if (updates.length > 0) await addOrKeep(log, held.runId, [...begun, ...updates], hasLate);
    return ackedSeq;
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
