import { lstat, mkdir, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import type { RunDeed } from './run-deed.ts';
import { StepFailure } from './step-error.ts';

/** The files of this machine that a run may read and write: those in one folder, or none. */
export interface RunFiles {
  /** Where a file is that the flow gives to a page. Throws StepFailure `blocked` for one that it may not read, `invalid_data` for one that is not there. */
  toRead(path: string): Promise<string>;
  /** Where a file goes that the flow keeps, folders made. Throws StepFailure `blocked` for a place it may not write to. */
  toWrite(path: string): Promise<string>;
}

/** A machine that lets flows have none of its files. */
export const noFiles: RunFiles = { toRead: refuse, toWrite: refuse };

/** The files in a folder, links that lead out of it excepted. */
export function filesIn(folder: string): RunFiles {
  async function within(path: string, existing: string): Promise<void> {
    const root = await realpath(folder);
    const way = relative(root, existing);
    if (way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)) throw outside(path);
  }
  return {
    async toRead(path) {
      const full = join(folder, lexical(path));
      const real = await realpath(full).catch(() => null);
      if (real === null)
        throw new StepFailure('invalid_data', `there is no file ${path} in the folder of files`);
      await within(path, real);
      if (!(await stat(real)).isFile()) throw new StepFailure('invalid_data', `${path} is no file`);
      return real;
    },
    async toWrite(path) {
      const full = join(folder, lexical(path));
      await mkdir(folder, { recursive: true });
      const existing = await nearestReal(path, full);
      await within(path, existing);
      await aboutFile(path, mkdir(dirname(full), { recursive: true }));
      // Besides folders there are things that whoever writes into waits for ever.
      if ((await stat(full).catch(() => null))?.isFile() === false) {
        throw new StepFailure('invalid_data', `${path} is no file`);
      }
      return full;
    },
  };
}

/** The same files; each use of one is told as it begins, for the machine's owner. */
export function filesTold(files: RunFiles, nodeId: string, onDeed: (deed: RunDeed) => void): RunFiles {
  return {
    async toRead(path) {
      const full = await files.toRead(path);
      onDeed({ type: 'file_read', path, nodeId });
      return full;
    },
    async toWrite(path) {
      const full = await files.toWrite(path);
      onDeed({ type: 'file_written', path, nodeId });
      return full;
    },
  };
}

/** What is done with a file of the run. What this machine has against it is a failure of the step, and tells no place of this machine. */
export async function aboutFile<Result>(path: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    const code: unknown = Reflect.get(Object(error), 'code');
    if (typeof code !== 'string') throw error;
    throw new StepFailure('invalid_data', `${path}: ${reasons[code] ?? 'it cannot be used'} (${code})`);
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this machine does not allow it',
  EEXIST: 'a file stands where a folder is needed',
  EISDIR: 'it is a folder',
  ENAMETOOLONG: 'its name is too long',
  ENOSPC: 'there is no room left on this machine',
  ENOTDIR: 'a file stands where a folder is needed',
  EPERM: 'this machine does not allow it',
  EROFS: 'this machine does not allow it',
};

function lexical(path: string): string {
  if (path.includes('\0')) throw new StepFailure('invalid_data', 'the name of a file holds a zero character');
  if (isAbsolute(path) || path.split(/[\\/]/).includes('..')) throw outside(path);
  return path;
}

/** What is there of a place: itself or the nearest folder around it. A link that leads nowhere yet is not passed over. */
async function nearestReal(path: string, full: string): Promise<string> {
  const real = await realpath(full).catch(() => null);
  if (real !== null) return real;
  if ((await lstat(full).catch(() => null)) !== null) throw outside(path);
  return nearestReal(path, dirname(full));
}

function outside(path: string): StepFailure {
  return new StepFailure('blocked', `${path} lies outside of the folder that flows may use (--files)`);
}

function refuse(path: string): Promise<string> {
  return Promise.reject(
    new StepFailure(
      'blocked',
      `this machine lets flows use none of its files, so not ${path}; start with --files FOLDER`,
    ),
  );
}
