import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { drizzle } from 'drizzle-orm/pglite';
import { migrate } from 'drizzle-orm/pglite/migrator';
import { EnvironmentError, errorText } from '../../lib/errors.ts';
import type { Database } from '../db/database.ts';
import { type MigrationFolders, migrationFolders } from '../db/migration-folders.ts';

/** The embedded PostgreSQL and how to close it. */
export interface EmbeddedDatabase {
  db: Database;
  close(): Promise<void>;
}

/** True when the folder holds a database already; making one takes a few seconds. */
export function hasDatabase(folder: string): boolean {
  return existsSync(join(folder, 'PG_VERSION'));
}

/**
 * Opens the database in `folder`, makes it where it is missing, and migrates it. The caller must hold the lock of the
 * folder: PGlite takes none, and a second writer's rows are lost. Throws EnvironmentError when it cannot be opened.
 */
export async function openDatabase(
  folder: string,
  folders: MigrationFolders = migrationFolders(),
): Promise<EmbeddedDatabase> {
  let client: PGlite;
  try {
    client = await PGlite.create(folder);
  } catch (error) {
    throw new EnvironmentError(`cannot open the database in ${folder}: ${errorText(error)}`, {
      hint: 'If it is damaged, move the folder away and start again; runs and pairings in it are then gone.',
      cause: error,
    });
  }
  const db = drizzle({ client });
  try {
    await migrate(db, {
      migrationsFolder: folders.own,
      migrationsSchema: 'qualinet',
      migrationsTable: 'migrations',
    });
    await migrate(db, {
      migrationsFolder: folders.embedded,
      migrationsSchema: 'qualinet',
      migrationsTable: 'embedded_migrations',
    });
  } catch (error) {
    await client.close();
    throw error;
  }
  return { db, close: () => client.close() };
}
