import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { EnvironmentError, errorText, UsageError } from '../../lib/errors.ts';

/** Writes a file that a person asked for, folders made. Throws UsageError for one that is there already, unless it may be replaced. */
export async function writeNewFile(
  path: string,
  text: string,
  { cwd, mayReplace }: { cwd: string; mayReplace: boolean },
): Promise<void> {
  const full = resolve(cwd, path);
  try {
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, text, { flag: mayReplace ? 'w' : 'wx' });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      throw new UsageError(`${path} is there already`, { hint: 'To replace it: --force', cause: error });
    }
    throw new EnvironmentError(`cannot write ${path}: ${errorText(error)}`, { cause: error });
  }
}
