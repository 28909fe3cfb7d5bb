import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fleetFolders } from './fleet.ts';
import { processesOf } from './processes-of.ts';

/** Ends every process of this process's fleets at once and deletes their folders: nothing is left of what was interrupted. */
export async function endFleets(): Promise<void> {
  const prefix = fleetFolders();
  // A schedule under way may just be starting one again: until none is found twice.
  for (let quiet = 0; quiet < 2; ) {
    const found = await processesOf(prefix);
    quiet = found.length === 0 ? quiet + 1 : 0;
    for (const { pid } of found) kill(pid);
    await delay(200);
  }
  const parent = dirname(prefix);
  const names = (await readdir(parent)).filter((name) => name.startsWith(basename(prefix)));
  await Promise.all(
    names.map((name) => rm(join(parent, name), { recursive: true, force: true, maxRetries: 3 })),
  );
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
