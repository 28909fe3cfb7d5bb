import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '../../lib/errors.ts';

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
      const temporary = `${path}.${randomBytes(6).toString('hex')}`;
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      try {
        await writeFile(temporary, bytes, { mode: 0o600, flag: 'wx' });
        await rename(temporary, path);
      } catch (error) {
        await unlink(temporary).catch(() => {});
        throw error;
      }
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
