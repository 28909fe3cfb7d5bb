import { sql } from 'drizzle-orm';
import { epochMs, nowPlus, rowsOf } from '../db/database.ts';
import type { LeaseDeps } from './lease-deps.ts';
import { silenceMs } from './silence.ts';

/** What a bridge knows of its own last sweep. */
export interface OwnSweep {
  /** Since then by this process's monotonic clock; null before its first one. */
  sinceMs: number | null;
  /** False when the database could not be reached since then. */
  wasHere: boolean;
}

/**
 * Gives every running lease a fresh ttl when no bridge has swept for a while: then none could be reached, or the database
 * was down, and what looks like the runners' silence was ours. A run that ended meanwhile is about to be reported. A bridge
 * that merely took long over its own sweep was there all the time, and renews nothing.
 *
 * A pause that is longer (or shorter) by the clock of the statements than by this process's own was none: somebody set that
 * clock, or another server with another clock took over. What the rows hold is then moved along.
 */
export async function renewAfterSilence(
  deps: LeaseDeps,
  { sinceMs, wasHere }: OwnSweep = { sinceMs: null, wasHere: false },
): Promise<void> {
  const { db, now, timing, log } = deps;
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
  // Forward, a bridge without a sweep of its own cannot tell a jump from a silence. Another bridge may have swept since: the
  // jump is found too small by that, at most.
  const jumpMs = sinceMs === null ? Math.min(0, pauseMs) : pauseMs - sinceMs;
  if (Math.abs(jumpMs) > silenceMs) await followClock(deps, jumpMs);
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

/**
 * Moves the times of all open leases by `jumpMs`, but none further ahead than it could be if it were written now: what a
 * heartbeat or a grant has written since the jump stays as it is.
 */
async function followClock({ db, now, timing, log }: LeaseDeps, jumpMs: number): Promise<void> {
  const forwardMs = Math.max(0, jumpMs);
  const moved = (column: string, limitMs: number) =>
    sql`case when ${sql.identifier(column)} is not null then
      least(${sql.identifier(column)} + ${forwardMs}::float8 * interval '1 millisecond', ${nowPlus(now, limitMs)}) end`;
  const leases = await rowsOf(
    db,
    sql`
      update qualinet.leases
      set expires_at = ${moved('expires_at', timing.leaseTtlMs)}, deadline_at = ${moved('deadline_at', timing.runMs)},
        offered_until = ${moved('offered_until', timing.offerMs)}
      where state in ('offered', 'leased') returning 1`,
  );
  if (jumpMs < 0) {
    await db.execute(sql`
      update qualinet.leases set available_at = available_at + ${jumpMs}::float8 * interval '1 millisecond'
      where state = 'ready' and available_at > ${now()} and isfinite(available_at)`);
  }
  log.warn('the clock of the database was set; the times of leases were moved along', {
    jumpMs: Math.round(jumpMs),
    leases: leases.length,
  });
}
