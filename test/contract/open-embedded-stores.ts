import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blobFolder } from '../../src/bridge/embedded/blob-folder.ts';
import { openDatabase } from '../../src/bridge/embedded/database.ts';
import { eventTable } from '../../src/bridge/embedded/event-table.ts';
import { inProcessHints } from '../../src/bridge/embedded/in-process-hints.ts';
import { copyDatabaseTemplate } from '../support/database-template.ts';
import type { OpenedStores } from './open-store.ts';

/** The stores of the embedded default, empty, in a folder that goes when they are closed. */
export async function openEmbeddedStores(): Promise<OpenedStores> {
  const folder = await mkdtemp(join(tmpdir(), 'qualinet-contract-'));
  await copyDatabaseTemplate(join(folder, 'database'));
  const { db, close } = await openDatabase(join(folder, 'database'));
  const hints = inProcessHints();
  return {
    db,
    hints,
    events: eventTable({ db, hints }),
    blobs: blobFolder(join(folder, 'pictures')),
    async close() {
      await close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
