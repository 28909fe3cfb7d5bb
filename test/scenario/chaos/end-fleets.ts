import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fleetFolders } from './fleet.ts';
import { processesOf } from './processes-of.ts';

/** Ends every process of this process's fleets at once and deletes their folders: nothing is left of what was interrupted. */
export async function endFleets(): Promise<void> {
  const prefix = fleetFolders();
  for (const { pid } of await processesOf(prefix)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
  const parent = dirname(prefix);
  const names = (await readdir(parent)).filter((name) => name.startsWith(basename(prefix)));
  await Promise.all(
    names.map((name) => rm(join(parent, name), { recursive: true, force: true, maxRetries: 3 })),
  );
}
