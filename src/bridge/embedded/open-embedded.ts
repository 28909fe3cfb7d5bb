import type { Clock } from '../../lib/clock.ts';
import type { BridgeConfig } from '../config.ts';
import { clockNow } from '../db/database.ts';
import { databaseDependency } from '../db/database-dependency.ts';
import { memoryNonces } from '../http/nonces.ts';
import type { Stores } from '../stores.ts';
import { blobFolder } from './blob-folder.ts';
import { openDataFolder, ownSecrets, writeBridgeFile } from './data-folder.ts';
import { hasDatabase, openDatabase } from './database.ts';
import { eventTable } from './event-table.ts';
import { inProcessHints } from './in-process-hints.ts';

/**
 * Everything in the data folder, for one bridge alone. Throws EnvironmentError when the folder is in use; nothing is left
 * behind then. `onFirstStart` is called before a database is made, which takes a few seconds.
 */
export async function openEmbedded(
  config: BridgeConfig,
  { clock, onFirstStart }: { clock: Clock; onFirstStart?: () => void },
): Promise<Stores> {
  const folder = await openDataFolder(config.dataDir);
  try {
    const made = await ownSecrets(folder.path);
    const adminToken = config.adminToken ?? made.adminToken;
    if (!hasDatabase(folder.databaseFolder)) onFirstStart?.();
    const { db, close: closeDatabase } = await openDatabase(folder.databaseFolder);
    const hints = inProcessHints();
    let forgetUrl = async (): Promise<void> => {};
    return {
      db,
      now: clockNow(clock),
      hints,
      events: eventTable({ db, hints }),
      nonces: memoryNonces(() => clock.nowMs()),
      blobs: blobFolder(folder.blobFolder),
      workerSecrets: [config.workerSecret ?? made.workerSecret, ...config.previousWorkerSecrets],
      adminToken,
      // Whoever reads a code off this bridge's terminal is its operator, so there is nobody else to ask.
      autoApprove: true,
      place: `${folder.path} (embedded default: no Redis, no Postgres, no bucket)`,
      dependencies: [databaseDependency(db)],
      async announce(url) {
        forgetUrl = await writeBridgeFile(folder.path, { url, adminToken, pid: process.pid });
      },
      async close() {
        await forgetUrl();
        await closeDatabase();
        await folder.release();
      },
    };
  } catch (error) {
    await folder.release();
    throw error;
  }
}
