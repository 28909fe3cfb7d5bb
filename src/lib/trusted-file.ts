import { constants } from 'node:fs';
import { type FileHandle, lstat, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EnvironmentError, errorText, systemErrorCode } from './errors.ts';

/**
 * Reads a file of rules that others may read but nobody else may have written: it belongs to us or to root, as its folder
 * does, and no other user can write it. Null when there is none. Throws EnvironmentError for every other file.
 */
export async function readTrustedFile(
  path: string,
  { maxBytes }: { maxBytes: number },
): Promise<string | null> {
  let file: FileHandle;
  try {
    const entry = await lstat(path);
    // Checked before it is opened, because opening a pipe would wait for whoever writes to it.
    if (!entry.isFile()) {
      throw new EnvironmentError(
        `${path} is ${entry.isSymbolicLink() ? 'a symbolic link' : 'no file'}; it must be a plain file`,
      );
    }
    await refuseOpenFolder(dirname(path));
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (error instanceof EnvironmentError) throw error;
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw new EnvironmentError(`cannot read ${path}: ${errorText(error)}`, { cause: error });
  }
  try {
    const { mode, uid, size } = await file.stat();
    if (!isOfOurs(uid)) {
      throw new EnvironmentError(`${path} belongs to another user (uid ${uid})`, {
        hint: `Make it yours or root's: chown root ${path}`,
      });
    }
    if (isWritableByOthers(mode)) {
      throw new EnvironmentError(`${path} can be written by other users`, {
        hint: `Run: chmod go-w ${path}`,
      });
    }
    if (size > maxBytes) throw new EnvironmentError(`${path} has ${size} bytes; ${maxBytes} are read`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** Whoever may write the folder can put another file in its place, unless it is sticky as `/tmp` is. */
async function refuseOpenFolder(folder: string): Promise<void> {
  const { mode, uid } = await stat(folder);
  const isSticky = (mode & 0o1000) !== 0;
  if (isOfOurs(uid) && (isSticky || !isWritableByOthers(mode))) return;
  throw new EnvironmentError(`the folder ${folder} can be written by other users`, {
    hint: `Run: chmod go-w ${folder}`,
  });
}

function isOfOurs(uid: number): boolean {
  return process.getuid === undefined || uid === 0 || uid === process.getuid();
}

function isWritableByOthers(mode: number): boolean {
  return process.platform !== 'win32' && (mode & 0o022) !== 0;
}
