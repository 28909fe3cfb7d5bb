import { constants } from 'node:fs';
import { type FileHandle, lstat, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EnvironmentError, errorText, systemErrorCode } from './errors.ts';

/**
 * The text of a file that nobody but us may have read: it is ours, and no other user can read or write it. Null when there is
 * none. Throws EnvironmentError for every other file: such a file is refused, never repaired.
 */
export function readPrivateFile(path: string): Promise<string | null> {
  return readGuardedFile(path, { check: refuseOthers });
}

/**
 * The text of a file of rules that others may read but nobody else may have written: it belongs to us or to root, as its folder
 * does, and no other user can write it. Null when there is none. Throws EnvironmentError for every other file.
 */
export function readTrustedFile(path: string, { maxBytes }: { maxBytes: number }): Promise<string | null> {
  return readGuardedFile(path, { maxBytes, check: refuseOtherWriters });
}

type FileCheck = (path: string, file: { mode: number; uid: number }) => void | Promise<void>;

async function readGuardedFile(
  path: string,
  { maxBytes = Number.POSITIVE_INFINITY, check }: { maxBytes?: number; check: FileCheck },
): Promise<string | null> {
  const file = await openPlainFile(path);
  if (file === null) return null;
  try {
    const { mode, uid, size } = await file.stat();
    if (process.platform !== 'win32') await check(path, { mode, uid });
    if (size > maxBytes) throw new EnvironmentError(`${path} has ${size} bytes; ${maxBytes} are read`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** Null when there is none. What is checked afterwards is the open file, so that another one cannot take its place. */
async function openPlainFile(path: string): Promise<FileHandle | null> {
  try {
    const entry = await lstat(path);
    // Checked before it is opened, because opening a pipe would wait for whoever writes to it.
    if (!entry.isFile()) {
      const what = entry.isSymbolicLink() ? 'a symbolic link' : 'no file';
      throw new EnvironmentError(`${path} is ${what}; it must be a plain file`, {
        hint: 'Put the file itself there.',
      });
    }
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (error instanceof EnvironmentError) throw error;
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw new EnvironmentError(`cannot read ${path}: ${errorText(error)}`, {
      hint: 'Check that this user may read it.',
      cause: error,
    });
  }
}

const refuseOthers: FileCheck = (path, { mode, uid }) => {
  if (uid !== process.getuid?.()) {
    throw new EnvironmentError(`${path} belongs to another user (uid ${uid})`, {
      hint: 'Run this as that user, or give the file to this one with chown.',
    });
  }
  if ((mode & 0o077) !== 0) {
    throw new EnvironmentError(`${path} can be read by other users`, { hint: `Run: chmod 600 ${path}` });
  }
};

const refuseOtherWriters: FileCheck = async (path, { mode, uid }) => {
  if (!isOfUsOrRoot(uid)) {
    throw new EnvironmentError(`${path} belongs to another user (uid ${uid})`, {
      hint: `Make it yours or root's: chown root ${path}`,
    });
  }
  if ((mode & 0o022) !== 0) {
    throw new EnvironmentError(`${path} can be written by other users`, { hint: `Run: chmod go-w ${path}` });
  }
  // Whoever may write the folder can put another file in its place, unless it is sticky as `/tmp` is.
  const folder = dirname(path);
  const around = await stat(folder);
  const isSticky = (around.mode & 0o1000) !== 0;
  if (isOfUsOrRoot(around.uid) && (isSticky || (around.mode & 0o022) === 0)) return;
  throw new EnvironmentError(`the folder ${folder} can be written by other users`, {
    hint: `Run: chmod go-w ${folder}`,
  });
};

function isOfUsOrRoot(uid: number): boolean {
  return uid === 0 || uid === process.getuid?.();
}
