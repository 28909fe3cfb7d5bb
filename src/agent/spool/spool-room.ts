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
  let hasReserve = await setAside();

  return {
    async take(kind, bytes, write) {
      while (used + bytes > most[kind]) {
        if (!(await dropOldestPicture())) {
          throw new SpoolFullError(
            `the spool has reached its limit of ${Math.round(capBytes / 1024 ** 2)} MiB`,
          );
        }
      }
      for (;;) {
        try {
          await write();
          used += bytes;
          return;
        } catch (error) {
          if (!isDiskFull(error)) throw error;
          const hasMoreRoom =
            kind !== 'picture' &&
            ((await dropOldestPicture()) || (kind === 'ending' && (await useReserve())));
          if (!hasMoreRoom) throw new SpoolFullError('the disk is full', { cause: error });
        }
      }
    },
    addPicture(picture) {
      pictures.add(picture);
      return { forget: () => void pictures.delete(picture) };
    },
    give(bytes) {
      used -= bytes;
      if (hasReserve) return;
      hasReserve = true;
      void setAside().then((isThere) => {
        hasReserve = isThere;
      });
    },
    get usedBytes() {
      return used;
    },
  };

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

  async function useReserve(): Promise<boolean> {
    if (!hasReserve) return false;
    hasReserve = false;
    log.warn('the disk is full: the room set aside for results is used');
    await disk.remove(reserve);
    return true;
  }

  // Random bytes: a file system that packs what it stores would set nothing aside for zeros.
  async function setAside(): Promise<boolean> {
    try {
      const there = await stat(reserve).catch(() => null);
      if (there?.size === reserveBytes) return true;
      await disk.replace(reserve, randomBytes(reserveBytes));
      return true;
    } catch (error) {
      log.warn(`no room could be set aside for results: ${errorText(error)}`);
      return false;
    }
  }
}
