import { createHash, randomBytes } from 'node:crypto';
import { cp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrationFolders } from '../../src/bridge/db/migration-folders.ts';
import { openDatabase } from '../../src/bridge/embedded/database.ts';

/**
 * A migrated, empty database folder to copy: making one costs seconds, copying it a fraction of one. Kept between test
 * runs under a name that holds the hash of the migrations. Safe to call from several processes at once.
 */
export async function prepareDatabaseTemplate(): Promise<string> {
  const template = join(tmpdir(), `qualinet-test-database-${await migrationsHash()}`);
  if (await exists(template)) return template;
  const making = `${template}.${randomBytes(6).toString('hex')}`;
  const { close } = await openDatabase(making);
  await close();
  try {
    await rename(making, template);
  } catch {
    // Another process was first.
    await rm(making, { recursive: true, force: true });
  }
  return template;
}

/** Copies the template to `folder`, which must not exist. */
export async function copyDatabaseTemplate(folder: string): Promise<void> {
  await cp(await prepareDatabaseTemplate(), folder, { recursive: true });
}

async function migrationsHash(): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of Object.values(migrationFolders())) {
    for (const file of (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()) {
      hash.update(file).update(await readFile(join(folder, file)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
