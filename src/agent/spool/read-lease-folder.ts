import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../../lib/errors.ts';
import { type NumberedEvent, numberedEventSchema } from '../../protocol/run-result.ts';
import {
  type Ending,
  endingFile,
  endingSchema,
  eventsFile,
  isPictureFile,
  leaseFile,
  pictureHeadBytes,
  pictureIn,
  type SpoolHeader,
  spoolHeaderSchema,
} from './spool-layout.ts';

/** What the folder of one lease holds. */
export interface LeaseFolder {
  header: SpoolHeader;
  events: NumberedEvent[];
  ending: Ending | null;
  /** Oldest first. */
  pictures: { path: string; nodeId: string; bytes: number }[];
  /** All files together. */
  bytes: number;
}

/** Reads a folder of the spool. Throws when it says of no lease, or cannot be read. */
export async function readLeaseFolder(folder: string): Promise<LeaseFolder> {
  const header = spoolHeaderSchema.parse(JSON.parse(await readFile(join(folder, leaseFile), 'utf8')));
  const ending = await readOptional(join(folder, endingFile));
  const events = await readOptional(join(folder, eventsFile));
  const names = await readdir(folder);
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      return { name, path, bytes: (await stat(path)).size };
    }),
  );
  const pictures = [];
  const pictureFiles = files.filter(({ name }) => isPictureFile(name));
  for (const { path, bytes } of pictureFiles.sort((a, b) => a.name.localeCompare(b.name))) {
    // Not all of it: after an outage there may be 150 MiB of them, and a start waits for this.
    const head = await readHead(path);
    const picture = attempt(() => pictureIn(head));
    if (picture !== undefined) pictures.push({ path, bytes, nodeId: picture.nodeId });
  }
  return {
    header,
    events: events === null ? [] : eventsIn(events),
    // One that a power cut has spoilt is none: the run is then told as interrupted.
    ending: ending === null ? null : (attempt(() => endingSchema.parse(JSON.parse(ending))) ?? null),
    pictures,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

async function readHead(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const file = await open(path);
  try {
    const head = new Uint8Array(pictureHeadBytes);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function readOptional(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  });
}

function eventsIn(text: string): NumberedEvent[] {
  const events: NumberedEvent[] = [];
  for (const line of text.split('\n')) {
    // The last line of a process that was killed may be a part of one; what follows a gap cannot be delivered.
    const event = attempt(() => numberedEventSchema.parse(JSON.parse(line)));
    if (event === undefined || event.seq !== events.length + 1) break;
    events.push(event);
  }
  return events;
}

/** What `read` gives; undefined where it throws. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
