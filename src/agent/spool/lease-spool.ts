import { join } from 'node:path';
import { errorText } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { NumberedEvent } from '../../protocol/run-result.ts';
import { type KeptPicture, keptPictures } from './kept-pictures.ts';
import type { AppendedFile, SpoolDisk } from './spool-disk.ts';
import {
  type Ending,
  endingFile,
  eventsFile,
  leaseFile,
  type Picture,
  pictureContent,
  pictureFile,
  type SpoolHeader,
} from './spool-layout.ts';
import type { SpoolKind, SpoolRoom } from './spool-room.ts';

/** The spool of one lease while it lasts. A disk that fails is told and never stops a run. */
export interface LeaseSpool {
  /** Queues an event for the disk, in order. */
  append(event: NumberedEvent): void;
  /** Resolves when everything queued so far is written, or could not be. */
  written(): Promise<void>;
  /** False when the ending could not be written: it is in memory only. */
  writeEnding(ending: Ending): Promise<boolean>;
  /** Forces all of it to the disk, so that a power cut cannot take it. Never rejects. */
  force(): Promise<void>;
  /** Null when there is no room for it. */
  keepPicture(picture: Picture): Promise<KeptPicture | null>;
  /** Pictures that are still kept, oldest first. */
  pictures(): KeptPicture[];
  /** Everything was delivered, or is no longer wanted. */
  drop(): Promise<void>;
  /** Closes the file and leaves the folder for the next start. */
  keep(): Promise<void>;
}

/** Begins the spool of one lease in `folder`; whose it is is on disk when this resolves. Never rejects. */
export async function openLeaseSpool(
  folder: string,
  header: SpoolHeader,
  { disk, room, log }: { disk: SpoolDisk; room: SpoolRoom; log: Log },
): Promise<LeaseSpool> {
  const pictures = keptPictures({ disk, room });
  let pictureNumber = 0;
  /** Without those of pictures. */
  let bytes = 0;
  let file: AppendedFile | null = null;
  let buffer = '';
  let areEventsWritten = true;
  // One chain of writes keeps the order; each link takes whatever has gathered by then.
  let chain: Promise<unknown> = Promise.resolve();
  const isThere = await begin();

  return {
    append(event) {
      buffer += `${JSON.stringify(event)}\n`;
      void enqueue(writeEvents);
    },
    async written() {
      await chain;
    },
    writeEnding: (ending) => enqueue(() => writeEnding(ending)),
    force: () => enqueue(force),
    keepPicture: (picture) => enqueue(() => keepPicture(picture)),
    pictures: () => pictures.all(),
    async drop() {
      await close();
      pictures.forgetAll();
      await disk.remove(folder).catch((error: unknown) => log.warn(`${folder} stays: ${errorText(error)}`));
      room.give(bytes);
    },
    keep: close,
  };

  function enqueue<T>(work: () => Promise<T>): Promise<T> {
    const done = chain.then(work);
    chain = done;
    return done;
  }

  async function begin(): Promise<boolean> {
    const text = JSON.stringify(header);
    try {
      await take('ending', text, async () => {
        await disk.makeFolder(folder);
        await disk.replace(join(folder, leaseFile), text);
      });
      return true;
    } catch (error) {
      log.warn(`cannot write ${folder}: ${errorText(error)}; what this run owes is kept in memory only`);
      return false;
    }
  }

  async function writeEvents(): Promise<void> {
    const text = buffer;
    buffer = '';
    // After a gap nothing could be read again.
    if (text === '' || !isThere || !areEventsWritten) return;
    try {
      file ??= await disk.openForAppending(join(folder, eventsFile));
      const open = file;
      await take('events', text, () => open.append(text));
    } catch (error) {
      areEventsWritten = false;
      log.warn(`step events cannot be kept on disk: ${errorText(error)}; they are sent from memory`, {
        runId: header.runId,
      });
    }
  }

  async function writeEnding(ending: Ending): Promise<boolean> {
    // No event comes after it.
    await closeEvents();
    if (!isThere) return false;
    const text = JSON.stringify(ending);
    try {
      await take('ending', text, () => disk.replace(join(folder, endingFile), text));
      return true;
    } catch (error) {
      log.error(`how this run ended cannot be kept on disk: ${errorText(error)}; it is sent from memory`, {
        runId: header.runId,
      });
      return false;
    }
  }

  async function force(): Promise<void> {
    for (const name of [leaseFile, eventsFile, endingFile]) await forceOrTell(join(folder, name));
    await forceOrTell(folder);
  }

  async function forceOrTell(path: string): Promise<void> {
    await disk.force(path).catch((error: unknown) => {
      log.warn(`${path} is not forced to the disk: ${errorText(error)}`, { runId: header.runId });
    });
  }

  async function keepPicture(picture: Picture): Promise<KeptPicture | null> {
    if (!isThere) return null;
    const content = pictureContent(picture);
    pictureNumber += 1;
    const path = join(folder, pictureFile(pictureNumber));
    try {
      await room.take('picture', content.byteLength, () => disk.replace(path, content));
    } catch (error) {
      log.warn(`the picture of a failure cannot be kept on disk: ${errorText(error)}`, {
        runId: header.runId,
        nodeId: picture.nodeId,
      });
      return null;
    }
    return pictures.add(path, { nodeId: picture.nodeId, bytes: content.byteLength });
  }

  async function take(kind: SpoolKind, text: string, write: () => Promise<void>): Promise<void> {
    const size = Buffer.byteLength(text);
    await room.take(kind, size, write);
    bytes += size;
  }

  async function close(): Promise<void> {
    await chain;
    await closeEvents();
  }

  async function closeEvents(): Promise<void> {
    const open = file;
    file = null;
    await open?.close().catch(() => {});
  }
}
