import { mkdir, open, rm, truncate } from 'node:fs/promises';
import { systemErrorCode } from '../../lib/errors.ts';
import { forceToDisk, replaceFile } from '../../lib/replace-file.ts';

/** The disk as the spool writes to it; a test may give one that is full. */
export interface SpoolDisk {
  makeFolder(path: string): Promise<void>;
  /** Whole or not at all. It survives this process; a power cut only once it is forced. */
  replace(path: string, content: string | Uint8Array): Promise<void>;
  /** Forces a file, or the entries of a folder, to the disk. */
  force(path: string): Promise<void>;
  openForAppending(path: string): Promise<AppendedFile>;
  /** Keeps the first `bytes` of a file. */
  shrink(path: string, bytes: number): Promise<void>;
  /** A file or a folder with all that is in it; one that is gone already is fine. */
  remove(path: string): Promise<void>;
}

/** A file that only grows. */
export interface AppendedFile {
  /** Adds `text` as a whole: after a failure the file is as it was. */
  append(text: string): Promise<void>;
  close(): Promise<void>;
}

/** The disk of this machine. */
export const nodeDisk: SpoolDisk = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  replace: replaceFile,
  force: forceToDisk,
  async openForAppending(path) {
    const file = await open(path, 'a', 0o600);
    let bytes = (await file.stat()).size;
    return {
      async append(text) {
        try {
          await file.appendFile(text);
        } catch (error) {
          // What follows half a line could not be read again.
          await file.truncate(bytes).catch(() => {});
          throw error;
        }
        bytes += Buffer.byteLength(text);
      },
      close: () => file.close(),
    };
  },
  shrink: truncate,
  remove: (path) => rm(path, { recursive: true, force: true }),
};

/** True for the errors of a disk, or of somebody's share of it, that has no room left. */
export function isDiskFull(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}
