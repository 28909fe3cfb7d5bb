import { sql } from 'drizzle-orm';
import { EnvironmentError } from '../../lib/errors.ts';
import { type Database, rowsOf } from '../db/database.ts';

/** Columns of the backend's table that bridges use, with the types they may have. Source: the original specification, section 3. */
const columns: Readonly<Record<string, readonly string[]>> = {
  id: ['uuid'],
  flow_id: ['uuid'],
  snapshot_nodes: ['jsonb'],
  snapshot_edges: ['jsonb'],
  status: ['text', 'character varying'],
  duration_ms: ['integer', 'bigint'],
  steps_result: ['jsonb'],
  executed_at: ['timestamp without time zone', 'timestamp with time zone'],
};

/** Throws EnvironmentError unless the backend's table `public.runs` has every column that bridges use, naming each that it lacks. */
export async function requireRunsTable(db: Database): Promise<void> {
  const found = await rowsOf<{ name: string; type: string }>(
    db,
    sql`
      select column_name as name, data_type as type from information_schema.columns
      where table_schema = 'public' and table_name = 'runs'`,
  );
  if (found.length === 0) {
    throw new EnvironmentError('the database has no table public.runs, or this role may not see it', {
      hint: "Point DATABASE_URL at the backend's own database, with a role that may select, insert and update on runs.",
    });
  }
  const types = new Map(found.map(({ name, type }) => [name, type]));
  const problems = Object.entries(columns).flatMap(([name, allowed]) => {
    const type = types.get(name);
    if (type === undefined) return [`runs.${name} is missing; it must be ${allowed.join(' or ')}`];
    return allowed.includes(type) ? [] : [`runs.${name} is ${type}; it must be ${allowed.join(' or ')}`];
  });
  if (problems.length > 0) {
    throw new EnvironmentError("the backend's table public.runs is not the one that bridges know", {
      problems,
      hint: 'The backend makes and changes this table; bridges never do.',
    });
  }
}
