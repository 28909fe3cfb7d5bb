import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '../../lib/errors.ts';
import { replaceFile } from '../../lib/replace-file.ts';

/** Stored pictures by key. Keys are checked by the caller (uploads.ts) and never hold `..`. */
export interface Blobs {
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Null when there is none. */
  read(key: string): Promise<Buffer | null>;
}

/** Pictures as files under `folder`. A reader sees a whole file or none; storing one again changes nothing. */
export function blobFolder(folder: string): Blobs {
  return {
    async put(key, bytes) {
      const path = join(folder, key);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await replaceFile(path, bytes);
    },
    async read(key) {
      try {
        return await readFile(join(folder, key));
      } catch (error) {
        if (systemErrorCode(error) === 'ENOENT') return null;
        throw error;
      }
    },
  };
}
