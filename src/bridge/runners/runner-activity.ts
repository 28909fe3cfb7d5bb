import { type SQL, sql } from 'drizzle-orm';
import { nowPlus, type SqlNow } from '../db/database.ts';
import type { Timing } from '../timing.ts';

// What runners are doing, as SQL about `runner` (qualinet.runners) and `held` (joined by withHeld).

/** A runner is online when it was seen within this time: polls wait 25 s and are noted at most every 10 s. */
const onlineMs = 60_000;

/** Joins `held` to `runner`: how many runs it holds, and its last heartbeat about any of them. Both null when it holds none. */
export function withHeld({ leaseTtlMs }: Pick<Timing, 'leaseTtlMs'>): SQL {
  return sql`left join (
    select runner_id, count(*)::int as holds,
      max(expires_at) - ${leaseTtlMs}::float8 * interval '1 millisecond' as beat_at
    from qualinet.leases where state in ('offered', 'leased') group by runner_id
  ) held on held.runner_id = runner.id`;
}

/** A runner with no free slot does not poll: while it executes, its heartbeats show that it is there. */
export const lastSeenAt: SQL = sql`greatest(runner.last_seen_at, held.beat_at)`;

/** Whether it was seen lately. */
export function isOnline(now: SqlNow): SQL {
  return sql`coalesce(${lastSeenAt} > ${nowPlus(now, -onlineMs)}, false)`;
}

/** Runs it can hold at once; 1 before its first poll. */
export const concurrency: SQL = sql`coalesce((runner.capabilities->>'concurrency')::int, 1)`;

/** Version of the wire it speaks; null before its first poll. */
export const protocolOf: SQL = sql`(runner.capabilities->>'protocol')::int`;
