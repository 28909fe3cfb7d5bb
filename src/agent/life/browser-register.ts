import { randomBytes } from 'node:crypto';
import { lstat, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import * as z from 'zod';
import type { BrowserWatcher } from '../../browser/launch-chromium.ts';
import { EnvironmentError, errorText, systemErrorCode } from '../../lib/errors.ts';
import { readPrivateJsonFile } from '../../lib/json-file.ts';
import type { Log } from '../../lib/log.ts';
import { identityOf } from '../../lib/process-alive.ts';
import { programOf } from '../../lib/process-table.ts';
import { replaceFile } from '../../lib/replace-file.ts';

const browserSchema = z.object({
  pid: z.number().int().positive(),
  startedAt: z.string(),
  space: z.string(),
  /** Path of its program, null where the system does not tell. */
  program: z.string().nullable(),
});
const registerSchema = z.object({
  tempFolder: z.string(),
  browsers: z.array(browserSchema),
  /** Folders of lives before that could not be removed yet. */
  leftFolders: z.array(z.string()),
});

/** A browser as the next start can find it again: it leads the process group of its number. */
export type RegisteredBrowser = z.infer<typeof browserSchema>;
/** What `<home>/browsers.json` holds: this life's browsers and the folder that all their temporary files are in. */
export type Register = z.infer<typeof registerSchema>;

/** The browsers of this life, on disk for the next one. */
export interface BrowserRegister extends BrowserWatcher {
  /** Folder for all temporary files of browsers: everything in it may be removed when this life is over. */
  readonly tempFolder: string;
  /** All browsers have ended: removes folder and file. Never rejects. */
  close(): Promise<void>;
}

/**
 * Begins the register of a home whose lock is held and whose last life was cleaned up after. The folder is written down
 * before it is made and before anything is in it. A file that cannot be written is told once and stops nothing.
 */
export async function openBrowserRegister(
  home: string,
  { leftFolders, log }: { leftFolders: readonly string[]; log: Log },
): Promise<BrowserRegister> {
  const path = registerPath(home);
  const tempFolder = join(tmpdir(), `qualinet-${randomBytes(8).toString('hex')}`);
  const browsers = new Map<number, RegisteredBrowser>();
  let isBroken = false;
  let writing: Promise<void> = Promise.resolve();
  await write();

  return {
    tempFolder,
    // Systems that clean their temporary folder may have removed a folder that nothing was written to for days.
    starting: () => makeOwnFolder(tempFolder),
    async started(pid) {
      const [identity, program] = await Promise.all([identityOf(pid), programOf(pid)]);
      browsers.set(pid, { ...identity, program });
      await write();
    },
    async ended(pid) {
      browsers.delete(pid);
      await write();
    },
    async close() {
      await writing;
      if ((await removeTempFolders([tempFolder, ...leftFolders])).length > 0) return;
      await rm(path, { force: true }).catch(() => {});
    },
  };

  function write(): Promise<void> {
    writing = writing.then(async () => {
      const content: Register = {
        tempFolder,
        browsers: [...browsers.values()],
        leftFolders: [...leftFolders],
      };
      try {
        await replaceFile(path, `${JSON.stringify(content, null, 2)}\n`);
      } catch (error) {
        if (!isBroken) log.warn(`cannot write ${path}: ${errorText(error)}`);
        isBroken = true;
      }
    });
    return writing;
  }
}

/** What the last life left in its register; null when it ended in order, or when the file says nothing that can be trusted. */
export async function readBrowserRegister(home: string): Promise<Register | null> {
  const content = await readPrivateJsonFile(registerPath(home)).catch(() => null);
  return registerSchema.safeParse(content).data ?? null;
}

/**
 * Removes folders that a register names: only ours by their names, real folders and no links, and of this user. Links in
 * them are removed, never followed. Gives those that could not be removed. Never rejects.
 */
export async function removeTempFolders(paths: readonly string[]): Promise<string[]> {
  const left: string[] = [];
  for (const path of paths.filter(isOurName)) {
    try {
      // Processes that are just ending may still write into it.
      if (await isOwnFolder(path)) await rm(path, { recursive: true, force: true, maxRetries: 5 });
    } catch {
      left.push(path);
    }
  }
  return left;
}

/** True for a path as {@link openBrowserRegister} makes them. */
export function isOurName(path: string): boolean {
  return (
    isAbsolute(path) &&
    join(dirname(path), basename(path)) === path &&
    /^qualinet-[0-9a-f]{16}$/.test(basename(path))
  );
}

async function makeOwnFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST' && (await isOwnFolder(path))) return;
    throw new EnvironmentError(`cannot make the folder ${path} for the browser: ${errorText(error)}`, {
      hint: 'Make room in the temporary folder, or name another one with TMPDIR.',
      cause: error,
    });
  }
}

/** False also when there is nothing. */
async function isOwnFolder(path: string): Promise<boolean> {
  const entry = await lstat(path).catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  });
  if (entry === null || !entry.isDirectory()) return false;
  return process.getuid === undefined || entry.uid === process.getuid();
}

function registerPath(home: string): string {
  return join(home, 'browsers.json');
}
