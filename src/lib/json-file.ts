import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EnvironmentError, errorText } from './errors.ts';
import { readPrivateFile } from './guarded-file.ts';
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
 * Reads a private JSON file. Null when there is none. Throws EnvironmentError when it is not ours alone (see `readPrivateFile`) or
 * holds no JSON; `whenBroken` says what to do about the last.
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
