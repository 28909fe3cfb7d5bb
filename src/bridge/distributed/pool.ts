import { createHash } from 'node:crypto';
import { drizzle } from 'drizzle-orm/node-postgres';
import { Pool, type QueryArrayConfig, type QueryConfig } from 'pg';
import type { Secret } from '../../lib/secret.ts';
import type { Database } from '../db/database.ts';
import { placeOf, type ReachDeps, reachServer } from './reach-server.ts';

/** Connections a bridge keeps at most; statements are short, so that more would only queue in the server. */
const connections = 20;

/** Settings of every connection: one that does not answer is given up, and the next statement gets a new one. */
export const connectionSettings = {
  application_name: 'qualinet-bridge',
  connectionTimeoutMillis: 5_000,
  query_timeout: 10_000,
  keepAlive: true,
} as const;

/** Connections to the backend's PostgreSQL. */
export interface DatabasePool {
  readonly db: Database;
  /** Where it is, for people. */
  readonly place: string;
  close(): Promise<void>;
}

/** Connects. Throws what {@link reachServer} does when the server does not come up or refuses. */
export async function openPool(databaseUrl: Secret, deps: ReachDeps): Promise<DatabasePool> {
  const url = databaseUrl.reveal();
  const place = placeOf(url);
  const pool = new PreparingPool({ connectionString: url, max: connections, ...connectionSettings });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  // All of them break together: told once until one stands again.
  let isBroken = false;
  pool.on('error', (error) => {
    if (!isBroken) deps.log.warn('connections to PostgreSQL broke', { error });
    isBroken = true;
  });
  pool.on('connect', () => {
    isBroken = false;
  });
  try {
    await reachServer(`PostgreSQL at ${place}`, 'DATABASE_URL', deps, () => pool.query('select 1'));
  } catch (error) {
    await pool.end();
    throw error;
  }
  return { db: drizzle({ client: pool }), place, close: () => pool.end() };
}

/** Gives every statement a name made of its text, so that each connection plans it once: planning is most of its cost. */
class PreparingPool extends Pool {
  // biome-ignore lint/suspicious/noExplicitAny: the signature is the library's, with its eleven overloads
  override query(...args: any[]): any {
    const [config, ...rest] = args as [QueryConfig | QueryArrayConfig | string, ...unknown[]];
    const query = super.query as (...args: unknown[]) => unknown;
    return typeof config === 'string'
      ? query.call(this, config, ...rest)
      : query.call(this, { ...config, name: statementName(config.text) }, ...rest);
  }
}

const names = new Map<string, string>();

function statementName(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = createHash('sha1').update(text).digest('hex');
    // Texts are as many as there are statements in the source; the bound is for the day when that is no longer so.
    if (names.size > 1_000) names.clear();
    names.set(text, name);
  }
  return name;
}
