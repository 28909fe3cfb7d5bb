import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import { Client, type ClientConfig } from 'pg';
import * as z from 'zod';
import { CancelledError, EnvironmentError, errorText } from '../../lib/errors.ts';
import type { Secret } from '../../lib/secret.ts';
import { withoutStatement } from '../db/database.ts';
import { type MigrationFolders, migrationFolders } from '../db/migration-folders.ts';
import { connectionSettings } from './pool.ts';
import { placeOf, type ReachDeps, reachServer } from './reach-server.ts';

/** Any number that no other program on the database uses as a lock: the first eight letters of our name. */
const lockKey = '8174660338432274804';

const journalSchema = z.object({ entries: z.array(z.object({ when: z.number() })) });

/**
 * Brings our own tables (schema `qualinet`) up to date; the backend's are not touched. Several bridges may do it at once:
 * one does, the others wait. True when something was changed. Throws EnvironmentError when the role may not.
 */
export async function migrateDatabase(
  databaseUrl: Secret,
  deps: ReachDeps,
  folders: MigrationFolders = migrationFolders(),
): Promise<boolean> {
  const settings = { connectionString: databaseUrl.reveal(), ...connectionSettings, query_timeout: 0 };
  // Two connections: the lock lives in a transaction of its own, so that it holds behind a pooler as well.
  const place = placeOf(databaseUrl.reveal());
  const connect = () =>
    reachServer(`PostgreSQL at ${place}`, 'DATABASE_URL', deps, () => connected(settings));
  const guard = await connect();
  let worker: Client;
  try {
    worker = await connect();
  } catch (error) {
    await guard.end();
    throw error;
  }
  // A wait for another bridge that migrates has no end of its own.
  const stop = (): void => void guard.end().catch(() => {});
  deps.signal?.addEventListener('abort', stop);
  try {
    await guard.query('begin');
    await guard.query(`select pg_advisory_xact_lock(${lockKey})`);
    if (!(await isPending(worker, folders.own))) return false;
    await migrate(drizzle({ client: worker }), {
      migrationsFolder: folders.own,
      migrationsSchema: 'qualinet',
      migrationsTable: 'migrations',
    });
    return true;
  } catch (error) {
    if (deps.signal?.aborted === true) throw new CancelledError('stopped while migrating');
    throw new EnvironmentError(
      `cannot bring the schema "qualinet" up to date: ${errorText(withoutStatement(error))}`,
      {
        hint: 'Run `qualinet-bridge migrate` once with a DATABASE_URL whose role may create schemas and tables, then grant this role what docs/operations.md lists.',
        cause: error,
      },
    );
  } finally {
    deps.signal?.removeEventListener('abort', stop);
    await Promise.all([guard.end(), worker.end()]);
  }
}

// Asked first, because a role that may only read and write could not even try.
async function isPending(client: Client, folder: string): Promise<boolean> {
  const { rows } = await client.query<{ exists: boolean }>(
    `select to_regclass('qualinet.migrations') is not null as exists`,
  );
  if (rows[0]?.exists !== true) return true;
  const journal = journalSchema.parse(
    JSON.parse(await readFile(join(folder, 'meta', '_journal.json'), 'utf8')),
  );
  const newest = Math.max(...journal.entries.map(({ when }) => when));
  const applied = await client.query<{ newest: string | null }>(
    'select max(created_at)::text as newest from qualinet.migrations',
  );
  return Number(applied.rows[0]?.newest ?? 0) < newest;
}

async function connected(settings: ClientConfig): Promise<Client> {
  const client = new Client(settings);
  // Without a listener, a server that goes away meanwhile would end the process; the statement under way fails anyway.
  client.on('error', () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}
