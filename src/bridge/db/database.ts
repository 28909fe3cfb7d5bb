import { DrizzleQueryError, type SQL, sql } from 'drizzle-orm';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import type { Clock } from '../../lib/clock.ts';

/** A PostgreSQL database, whichever driver is behind it: PGlite in the embedded default. */
export type Database = PgDatabase<PgQueryResultHKT, Record<string, never>>;

/** What runs statements: a database or a transaction on it. */
export type Statements = Pick<Database, 'execute' | 'select' | 'insert' | 'update' | 'delete'>;

/**
 * Now, as SQL: every decision about time is made inside a statement, by one clock. The embedded default gives the
 * process's clock ({@link clockNow}), which tests can move; several bridges on one database give the database's
 * ({@link databaseNow}), because their own clocks differ.
 */
export type SqlNow = () => SQL;

/** The database's own time, the same throughout a statement. */
export const databaseNow: SqlNow = () => sql`statement_timestamp()`;

/** The process's time. */
export function clockNow(clock: Clock): SqlNow {
  return () => sql`${new Date(clock.nowMs()).toISOString()}::timestamptz`;
}

/** `ms` after now (before it when negative). */
export function nowPlus(now: SqlNow, ms: number): SQL {
  return sql`(${now()} + ${ms}::float8 * interval '1 millisecond')`;
}

/** Milliseconds since 1970 of a timestamp; drivers differ in how they give timestamps, not in numbers. */
export function epochMs(timestamp: SQL): SQL {
  return sql`(extract(epoch from ${timestamp}) * 1000)::float8`;
}

/** A text array as one parameter (drizzle would spread a bare array). */
export function textArray(values: readonly string[]): SQL {
  return sql`${sql.param([...values])}::text[]`;
}

/** Ids as one parameter. */
export function uuidArray(ids: readonly string[]): SQL {
  return sql`${sql.param([...ids])}::uuid[]`;
}

/**
 * A number written into the statement, for LIMIT: a statement that is planned once for all values takes an unknown limit
 * for a tenth of the table, and sorts all of it.
 */
export function literalInteger(value: number): SQL {
  if (!Number.isSafeInteger(value)) throw new Error(`${value} is no whole number`);
  return sql.raw(String(value));
}

/** A value as one jsonb parameter; null stays SQL null. */
export function json(value: unknown): SQL {
  return sql`${value === null ? null : JSON.stringify(value)}::jsonb`;
}

/** Rows of a written statement. The caller vouches for `Row`: it stands beside the columns it selects. */
export async function rowsOf<Row>(db: Pick<Database, 'execute'>, statement: SQL): Promise<Row[]> {
  const result: unknown = await db.execute(statement);
  return (result as { rows: Row[] }).rows;
}

/**
 * What went wrong in a statement, without the statement: the error that Drizzle throws holds all its parameters in message
 * and fields, and those may be what flows type. Every other error as it is.
 */
export function withoutStatement(error: unknown): unknown {
  return error instanceof DrizzleQueryError ? (error.cause ?? new Error('a statement failed')) : error;
}

/** PostgreSQL's code of what went wrong in a statement; null for every other error. */
export function sqlState(error: unknown): string | null {
  const cause = withoutStatement(error);
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : null;
}
