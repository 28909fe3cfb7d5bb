import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { bodyLimitOf } from '../../protocol/routes.ts';
import { isDiskFull, type SpoolDisk } from './spool-disk.ts';

/** What is kept, the first to go first: pictures give way to events, events to how a run ended. */
export type SpoolKind = 'picture' | 'events' | 'ending';

/** The spool has no room for this, by its own limit or because the disk is full. */
class SpoolFullError extends Error {}

/** The room all leases of a home share. */
export interface SpoolRoom {
  /**
   * Does `write`, which adds `bytes`, making room for it where there is none: the oldest pictures go first, and what was
   * set aside for endings is used for nothing else. Throws SpoolFullError, or what `write` threw for another reason.
   */
  take(kind: SpoolKind, bytes: number, write: () => Promise<void>): Promise<void>;
  /** A picture is there that may have to make room; `remove` deletes it. */
  addPicture(picture: { bytes: number; remove(): Promise<void> }): { forget(): void };
  /** Room is free again. */
  give(bytes: number): void;
  /** Bytes in use. */
  readonly usedBytes: number;
}

/** Holds the place of a result; beside the spool, not in it. */
export const reserveFile = 'spool-reserve';

/** Of the limit, what pictures may fill. */
const picturesShare = 0.75;
/** What a small file takes on a disk besides its bytes, and its folder with it. */
const slackBytes = 64 * 1024;

/**
 * Keeps account of the spool under `home`: at most `capBytes`, of which `usedBytes` are in use, and a file that holds the
 * place of a result, so that one can be written when nothing else can.
 */
export async function openSpoolRoom(
  home: string,
  { capBytes, usedBytes, disk, log }: { capBytes: number; usedBytes: number; disk: SpoolDisk; log: Log },
): Promise<SpoolRoom> {
  const reserve = join(home, reserveFile);
  const reserveBytes = bodyLimitOf('postResult');
  const most: Readonly<Record<SpoolKind, number>> = {
    picture: (capBytes - reserveBytes) * picturesShare,
    events: capBytes - reserveBytes,
    // As many as there are runs at once, each no larger than its route takes.
    ending: Number.POSITIVE_INFINITY,
  };
  const pictures = new Set<{ bytes: number; remove(): Promise<void> }>();
  let used = usedBytes;
  /** What the file holds. */
  let reservedBytes = 0;
  let isRestoring = false;
  let isMissingTold = false;
  // One change of the file at a time: one that is used while it is being set aside would give nothing back.
  let reserveWork: Promise<unknown> = Promise.resolve();
  await restore();

  return {
    async take(kind, bytes, write) {
      while (used + bytes > most[kind]) {
        if (!(await dropOldestPicture())) {
          throw new SpoolFullError(
            `the spool has reached its limit of ${Math.round(capBytes / 1024 ** 2)} MiB`,
          );
        }
      }
      // Before the write: several leases may be writing at once.
      used += bytes;
      try {
        await writeWithRoom(kind, bytes, write);
      } catch (error) {
        used -= bytes;
        throw error;
      }
    },
    addPicture(picture) {
      pictures.add(picture);
      return { forget: () => void pictures.delete(picture) };
    },
    give(bytes) {
      used -= bytes;
      if (reservedBytes < reserveBytes && !isRestoring) void restore();
    },
    get usedBytes() {
      return used;
    },
  };

  async function writeWithRoom(kind: SpoolKind, bytes: number, write: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (!isDiskFull(error)) throw error;
        if (kind !== 'picture' && (await makesRoom(kind, bytes))) continue;
        throw new SpoolFullError('the disk is full', { cause: error });
      }
    }
  }

  /** False when there is nothing left that may go. */
  async function makesRoom(kind: SpoolKind, bytes: number): Promise<boolean> {
    if (isRestoring) {
      // It may be the room that is missing, and is given back when there is not enough for all of it.
      await reserveWork;
      return true;
    }
    return (await dropOldestPicture()) || (kind === 'ending' && (await useReserve(bytes)));
  }

  async function dropOldestPicture(): Promise<boolean> {
    const [oldest] = pictures;
    if (oldest === undefined) return false;
    pictures.delete(oldest);
    log.warn('a picture that was not uploaded yet was dropped to make room in the spool', {
      bytes: oldest.bytes,
    });
    await oldest.remove();
    return true;
  }

  function onReserve<T>(work: () => Promise<T>): Promise<T> {
    const done = reserveWork.then(work);
    reserveWork = done.catch(() => {});
    return done;
  }

  /** Frees as much of it as is needed: what is freed and not used could be taken by anything else. */
  function useReserve(bytes: number): Promise<boolean> {
    return onReserve(async () => {
      if (reservedBytes === 0) return false;
      if (reservedBytes === reserveBytes) {
        log.warn('the disk is full: the room set aside for results is used');
      }
      reservedBytes = Math.max(0, reservedBytes - bytes - slackBytes);
      try {
        if (reservedBytes > 0) await disk.shrink(reserve, reservedBytes);
        else await disk.remove(reserve);
      } catch {
        // On some full disks a file cannot be shortened, only removed.
        reservedBytes = 0;
        await disk.remove(reserve);
      }
      return true;
    });
  }

  function restore(): Promise<void> {
    isRestoring = true;
    return onReserve(setAside).finally(() => {
      isRestoring = false;
    });
  }

  // Random bytes: a file system that packs what it stores would set nothing aside for zeros.
  async function setAside(): Promise<void> {
    try {
      const there = await stat(reserve).catch(() => null);
      // What is left of one that was used is of use, too.
      reservedBytes = Math.min(there?.size ?? 0, reserveBytes);
      if (there?.size !== reserveBytes) await disk.replace(reserve, randomBytes(reserveBytes));
      reservedBytes = reserveBytes;
      isMissingTold = false;
    } catch (error) {
      if (!isMissingTold) log.warn(`no room could be set aside for results: ${errorText(error)}`);
      isMissingTold = true;
    }
  }
}
