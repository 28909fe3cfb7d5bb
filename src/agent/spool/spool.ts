import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { EnvironmentError, errorText, systemErrorCode } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { NumberedEvent } from '../../protocol/run-result.ts';
import { type KeptPicture, keptPictures } from './kept-pictures.ts';
import { type LeaseSpool, openLeaseSpool } from './lease-spool.ts';
import { readLeaseFolder } from './read-lease-folder.ts';
import { nodeDisk, type SpoolDisk } from './spool-disk.ts';
import { type Ending, type SpoolHeader, spoolFolder, spoolRoot } from './spool-layout.ts';
import { openSpoolRoom, reserveFile } from './spool-room.ts';

/** Everything this home owes its bridge, on disk. The caller holds the home's lock. */
export interface Spool {
  /** Begins with a lease; whose it is is on disk when this resolves. Never rejects: a disk that fails is told. */
  begin(header: SpoolHeader): Promise<LeaseSpool>;
  /** What an earlier life of this runner left behind, each once. */
  takeLeftovers(): Leftover[];
}

/** What is left of one lease. */
export interface Leftover {
  header: SpoolHeader;
  events: NumberedEvent[];
  /** Null when the runner ended before the run did. */
  ending: Ending | null;
  pictures(): KeptPicture[];
  drop(): Promise<void>;
}

/**
 * Opens the spool of `home` and reads what is left in it. Folders that hold no lease are removed and told; what cannot be
 * read today stays for another day.
 */
export async function openSpool(
  home: string,
  { log, capBytes, disk = nodeDisk }: { log: Log; capBytes: number; disk?: SpoolDisk },
): Promise<Spool> {
  const root = spoolRoot(home);
  await removeHalfWritten(home, disk);
  const found = [];
  for (const name of await namesIn(root, log)) {
    const folder = join(root, name);
    try {
      found.push({ folder, ...(await readLeaseFolder(folder)) });
    } catch (error) {
      // Only what can be read and is no lease is removed; a disk or a right that fails today may not tomorrow.
      const isSpoilt = systemErrorCode(error) === null || systemErrorCode(error) === 'ENOENT';
      log.warn(`${folder} cannot be delivered${isSpoilt ? ' and is removed' : ''}: ${errorText(error)}`);
      if (isSpoilt) await disk.remove(folder).catch(() => {});
    }
  }
  const usedBytes = found.reduce((sum, { bytes }) => sum + bytes, 0);
  const room = await openSpoolRoom(home, { capBytes, usedBytes, disk, log });
  const leftovers = found.map(({ folder, bytes, pictures: files, ...left }): Leftover => {
    const pictures = keptPictures({ disk, room });
    for (const { path, ...about } of files) pictures.add(path, about);
    const otherBytes = files.reduce((rest, picture) => rest - picture.bytes, bytes);
    return {
      ...left,
      pictures: pictures.all,
      async drop() {
        pictures.forgetAll();
        await disk.remove(folder);
        room.give(otherBytes);
      },
    };
  });
  return {
    begin: (header) => openLeaseSpool(spoolFolder(home, header), header, { disk, room, log }),
    takeLeftovers: () => leftovers.splice(0),
  };
}

async function namesIn(root: string, log: Log): Promise<string[]> {
  return readdir(root).catch((error: unknown) => {
    if (systemErrorCode(error) !== 'ENOENT') log.warn(`cannot read ${root}: ${errorText(error)}`);
    return [];
  });
}

// A process that is killed while it writes a file anew leaves a half of it, with each start one more.
async function removeHalfWritten(home: string, disk: SpoolDisk): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw new EnvironmentError(`cannot make the folder ${home}: ${errorText(error)}`, { cause: error });
  });
  const names = await readdir(home).catch(() => []);
  const half = new RegExp(`^\\.(${[reserveFile, 'status.json', 'browsers.json'].join('|')})\\.[0-9a-f]{12}$`);
  for (const name of names.filter((each) => half.test(each))) {
    await disk.remove(join(home, name)).catch(() => {});
  }
}
