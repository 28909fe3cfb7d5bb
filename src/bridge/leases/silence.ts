import { type SQL, sql } from 'drizzle-orm';
import { nowPlus, type SqlNow } from '../db/database.ts';

/** Longest pause between the sweeps of all bridges together that is none: several sweeps may fail or be slow. */
export const silenceMs = 5_000;

/**
 * True in a statement while sweeps go on as they should by its clock. When not, the clock may have been set, and no time on
 * a row can be believed until the next sweep has looked at it.
 */
export function isSweptByClock(now: SqlNow): SQL {
  return sql`coalesce((select at from qualinet.marks where name = 'swept') between ${nowPlus(now, -silenceMs)}
    and ${nowPlus(now, silenceMs)}, true)`;
}
