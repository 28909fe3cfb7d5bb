import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import { Client } from 'pg';
import { z } from 'zod';
import { EnvironmentError, errorText } from '../../lib/errors.ts';
import type { Secret } from '../../lib/secret.ts';
import { type MigrationFolders, migrationFolders } from '../db/migration-folders.ts';
import { connectionSettings } from './pool.ts';

/** Any number that no other program on the database uses as a lock: the first eight letters of our name. */
const lockKey = '8174660338432274804';

const journalSchema = z.object({ entries: z.array(z.object({ when: z.number() })) });

/**
 * Brings our own tables (schema `qualinet`) up to date; the backend's are not touched. Several bridges may do it at once:
 * one does, the others wait. True when something was changed. Throws EnvironmentError when the role may not.
 */
export async function migrateDatabase(
  databaseUrl: Secret,
  folders: MigrationFolders = migrationFolders(),
): Promise<boolean> {
  const settings = { connectionString: databaseUrl.reveal(), ...connectionSettings, query_timeout: 0 };
  // Two connections: the lock lives in a transaction of its own, so that it holds behind a pooler as well.
  const [guard, worker] = [new Client(settings), new Client(settings)];
  await Promise.all([guard.connect(), worker.connect()]);
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
    throw new EnvironmentError(`cannot bring the schema "qualinet" up to date: ${causeText(error)}`, {
      hint: 'Run `qualinet-bridge migrate` once with a DATABASE_URL whose role may create schemas and tables.',
      cause: error,
    });
  } finally {
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

function causeText(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? errorText(error.cause) : errorText(error);
}
