import { type FileHandle, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errorText, systemErrorCode } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { replaceFile } from '../lib/replace-file.ts';
import {
  type NumberedEvent,
  numberedEventSchema,
  type RunResult,
  runResultSchema,
} from '../protocol/run-result.ts';

// What a runner owes the bridge, on disk before it is sent: <home>/spool/<leaseId>-<fence>/ with events.jsonl (its first
// line says whose they are), result.json and the pictures. Thrown away when the bridge has it or says that it is not wanted.

const headerSchema = z.strictObject({
  leaseId: z.uuid(),
  fence: z.number().int().positive(),
  runId: z.uuid(),
  /** They are delivered only as this runner and to this bridge: nobody else may see them. */
  runnerId: z.uuid(),
  apiBaseUrl: z.string(),
});

/** Whose spool it is. */
export type SpoolHeader = z.infer<typeof headerSchema>;

/** The spool of one lease while it lasts. A disk that fails is told once and never stops a run. */
export interface LeaseSpool {
  /** Queues an event for the disk, in order. */
  append(event: NumberedEvent): void;
  /** Resolves when everything appended so far has been written. */
  written(): Promise<void>;
  writeResult(result: RunResult): Promise<void>;
  writePicture(name: string, bytes: Uint8Array): Promise<void>;
  /** Everything was delivered, or is no longer wanted. */
  drop(): Promise<void>;
  /** Closes the file and leaves the folder for the next start. */
  keep(): Promise<void>;
}

/** Begins the spool of one lease. Returns at once; the disk follows. */
export function openLeaseSpool(home: string, header: SpoolHeader, log: Log): LeaseSpool {
  const folder = folderOf(home, header);
  let file: FileHandle | null = null;
  let buffer = `${JSON.stringify(header)}\n`;
  let isBroken = false;
  // One chain of writes keeps the order; each link takes whatever has gathered by then.
  let chain: Promise<void> = guarded(async () => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    file = await open(join(folder, eventsFile), 'a', 0o600);
    await flush();
  });

  return {
    append(event) {
      buffer += `${JSON.stringify(event)}\n`;
      enqueue(flush);
    },
    written: () => chain,
    writeResult: (result) => enqueue(() => replaceFile(join(folder, resultFile), JSON.stringify(result))),
    writePicture: (name, bytes) => enqueue(() => replaceFile(join(folder, name), bytes)),
    async drop() {
      await close();
      await guarded(() => rm(folder, { recursive: true, force: true }), true);
    },
    keep: close,
  };

  async function flush(): Promise<void> {
    if (buffer === '' || file === null) return;
    const text = buffer;
    buffer = '';
    await file.appendFile(text);
  }

  function enqueue(work: () => Promise<void>): Promise<void> {
    chain = chain.then(() => guarded(work));
    return chain;
  }

  async function close(): Promise<void> {
    await chain;
    const open = file;
    file = null;
    await open?.close().catch(() => {});
  }

  async function guarded(work: () => Promise<void>, always = false): Promise<void> {
    if (isBroken && !always) return;
    try {
      await work();
    } catch (error) {
      if (!isBroken)
        log.warn(`cannot write ${folder}: ${errorText(error)}; this run goes on without its spool`);
      isBroken = true;
    }
  }
}

/** What an earlier life of this runner left behind. */
export interface Leftover {
  header: SpoolHeader;
  events: NumberedEvent[];
  /** Null when the run was interrupted before it had one. */
  result: RunResult | null;
  drop(): Promise<void>;
}

/** Everything left in the spool. Folders that cannot be read as one are removed and told. */
export async function readLeftovers(home: string, log: Log): Promise<Leftover[]> {
  const root = join(home, 'spool');
  const names = await readdir(root).catch((error: unknown) => {
    if (systemErrorCode(error) !== 'ENOENT') log.warn(`cannot read ${root}: ${errorText(error)}`);
    return [];
  });
  const leftovers: Leftover[] = [];
  for (const name of names) {
    const folder = join(root, name);
    const drop = () => rm(folder, { recursive: true, force: true });
    try {
      leftovers.push({ ...(await readLeftover(folder)), drop });
    } catch (error) {
      // Only what can be read and is no spool is removed; a disk or a right that fails today may not tomorrow.
      const isSpoilt = systemErrorCode(error) === null || systemErrorCode(error) === 'ENOENT';
      log.warn(`${folder} cannot be delivered${isSpoilt ? ' and is removed' : ''}: ${errorText(error)}`);
      if (isSpoilt) await drop().catch(() => {});
    }
  }
  return leftovers;
}

const eventsFile = 'events.jsonl';
const resultFile = 'result.json';

function folderOf(home: string, { leaseId, fence }: SpoolHeader): string {
  return join(home, 'spool', `${leaseId}-${fence}`);
}

async function readLeftover(folder: string): Promise<Omit<Leftover, 'drop'>> {
  const [first = '', ...lines] = (await readFile(join(folder, eventsFile), 'utf8')).split('\n');
  const header = headerSchema.parse(JSON.parse(first));
  const events: NumberedEvent[] = [];
  for (const line of lines) {
    // The last line of a process that was killed may be a part of one; what follows a gap cannot be delivered.
    const event = numberedEventSchema.safeParse(parseLine(line)).data;
    if (event === undefined || event.seq !== events.length + 1) break;
    events.push(event);
  }
  const text = await readFile(join(folder, resultFile), 'utf8').catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  });
  return { header, events, result: text === null ? null : runResultSchema.parse(JSON.parse(text)) };
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
