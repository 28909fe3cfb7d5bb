import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EnvironmentError, errorText, systemErrorCode } from './errors.ts';
import { replaceFile } from './replace-file.ts';

/**
 * Writes `value` as JSON so that a reader sees the old file or the new one, never a part: temporary file 0600,
 * fsync, rename, fsync of the directory. The directory is made 0700 where it is missing.
 * Throws EnvironmentError when the place cannot be written.
 */
export async function writeJsonFile(path: string, value: unknown): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await replaceFile(path, `${JSON.stringify(value, null, 2)}\n`, { isDurable: true });
  } catch (error) {
    throw new EnvironmentError(`cannot write ${path}: ${errorText(error)}`, {
      hint: 'Check that this user may write there, and that the disk has room.',
      cause: error,
    });
  }
}

/**
 * Reads a private JSON file. Null when there is none. Throws EnvironmentError when it is a symbolic link, belongs to
 * somebody else, can be read by others, or holds no JSON: such a file is refused, never repaired. `whenBroken` says what to do about the last.
 */
export async function readPrivateJsonFile(
  path: string,
  { whenBroken = 'Move it away; what it held must then be set up again.' } = {},
): Promise<unknown> {
  const text = await readPrivateFile(path);
  try {
    return text === null ? null : (JSON.parse(text) as unknown);
  } catch (error) {
    throw new EnvironmentError(`${path} holds no valid JSON: ${errorText(error)}`, {
      hint: whenBroken,
      cause: error,
    });
  }
}

/** The text of a private file, by the same rules. */
export async function readPrivateFile(path: string): Promise<string | null> {
  let file: FileHandle;
  try {
    const entry = await lstat(path);
    if (entry.isSymbolicLink())
      throw new EnvironmentError(`${path} is a symbolic link; it must be a plain file`, {
        hint: 'Put the file itself there.',
      });
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (error instanceof EnvironmentError) throw error;
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw new EnvironmentError(`cannot read ${path}: ${errorText(error)}`, {
      hint: 'Check that this user may read it.',
      cause: error,
    });
  }
  try {
    const { mode, uid } = await file.stat();
    if (process.platform !== 'win32') {
      if (process.getuid !== undefined && uid !== process.getuid()) {
        throw new EnvironmentError(`${path} belongs to another user (uid ${uid})`, {
          hint: 'Run this as that user, or give the file to this one with chown.',
        });
      }
      if ((mode & 0o077) !== 0) {
        throw new EnvironmentError(`${path} can be read by other users`, { hint: `Run: chmod 600 ${path}` });
      }
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
