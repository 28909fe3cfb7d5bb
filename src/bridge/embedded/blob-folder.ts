import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '../../lib/errors.ts';
import { replaceFile } from '../../lib/replace-file.ts';
import type { Blobs } from '../pictures/blobs.ts';

/** Pictures as files under `folder`. */
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
