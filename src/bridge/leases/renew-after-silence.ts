import { sql } from 'drizzle-orm';
import { epochMs, nowPlus, rowsOf } from '../db/database.ts';
import type { LeaseDeps } from './lease-deps.ts';

/** Longest pause between the sweeps of all bridges together that is none: several sweeps may fail or be slow. */
const silenceMs = 5_000;

/**
 * Gives every running lease a fresh ttl when no bridge has swept for a while: then none could be reached, or the database
 * was down, and what looks like the runners' silence was ours. A run that ended meanwhile is about to be reported. A bridge
 * that merely took long over its own sweep was there all the time: it says so with `wasHere`, and renews nothing.
 */
export async function renewAfterSilence(
  { db, now, timing, log }: LeaseDeps,
  { wasHere = false } = {},
): Promise<void> {
  // The row read in the CTE is the one before this statement's own change.
  const [mark] = await rowsOf<{ pauseMs: number | null }>(
    db,
    sql`
      with before as (select at from qualinet.marks where name = 'swept')
      insert into qualinet.marks (name, at) values ('swept', ${now()})
      on conflict (name) do update set at = excluded.at
      returning ${epochMs(now())} - ${epochMs(sql`(select at from before)`)} as "pauseMs"`,
  );
  const pauseMs = mark?.pauseMs ?? 0;
  if (wasHere || pauseMs <= silenceMs) return;
  const renewed = await rowsOf(
    db,
    sql`
      update qualinet.leases set expires_at = ${nowPlus(now, timing.leaseTtlMs)}
      where state = 'leased' and expires_at < ${nowPlus(now, timing.leaseTtlMs)} returning 1`,
  );
  if (renewed.length === 0) return;
  log.info('no bridge could be reached for a while; leases go on', {
    pauseMs: Math.round(pauseMs),
    leases: renewed.length,
  });
}
