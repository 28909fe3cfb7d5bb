import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../src/bridge/embedded/database.ts';
import { copyDatabaseTemplate } from '../support/database-template.ts';
import { storesContract } from './stores-contract.ts';

storesContract('the embedded database', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'qualinet-contract-'));
  await copyDatabaseTemplate(join(folder, 'database'));
  const { db, close } = await openDatabase(join(folder, 'database'));
  return {
    db,
    async close() {
      await close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});
