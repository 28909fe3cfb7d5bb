import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemErrorCode } from './errors.ts';

/**
 * Writes a private file so that a reader sees the old or the new one, never a part. Without `isDurable` it survives this
 * process; with it, it is forced to the disk and survives a power cut, too.
 */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  { isDurable = false }: { isDurable?: boolean } = {},
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    // `wx` never follows a link that somebody laid there.
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(content);
      if (isDurable) await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    if (isDurable) await forceToDisk(dirname(path));
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
}

/** Forces a file, or the entries of a folder, to the disk; one that is gone needs nothing. */
export async function forceToDisk(path: string): Promise<void> {
  // Windows opens neither for reading only; its file systems keep the order of their own accord.
  if (process.platform === 'win32') return;
  const file = await open(path, constants.O_RDONLY).catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  });
  try {
    await file?.sync();
  } finally {
    await file?.close();
  }
}
