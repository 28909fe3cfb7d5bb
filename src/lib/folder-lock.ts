import { mkdir, readFile, rmdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EnvironmentError, errorText, systemErrorCode } from './errors.ts';

/** Held until released; release is safe to call twice. */
export interface FolderLock {
  release(): Promise<void>;
}

/**
 * Takes `folder` for this process alone, by a file `lock` that holds pid and start time.
 * A lock whose process has ended is taken over, never one that is merely old.
 * Throws EnvironmentError naming the process that holds it.
 */
export async function lockFolder(folder: string, what: string): Promise<FolderLock> {
  const path = join(folder, 'lock');
  const own = `${process.pid} ${(await processStartTime(process.pid)) ?? 'unknown'}\n`;
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw new EnvironmentError(`cannot make the folder ${folder}: ${errorText(error)}`, { cause: error });
  });
  for (let attempt = 0; attempt < 20; attempt += 1) {
    try {
      await writeFile(path, own, { flag: 'wx', mode: 0o600 });
      return { release: () => releaseOwn(path, own) };
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') {
        throw new EnvironmentError(`cannot write ${path}: ${errorText(error)}`, { cause: error });
      }
    }
    const holder = await readFile(path, 'utf8').catch(() => '');
    const [pid = '', startedAt = ''] = holder.trim().split(' ');
    if (holder !== '' && (await isAlive(Number(pid), startedAt))) {
      throw new EnvironmentError(`${what} is in use by process ${pid} (${folder})`, {
        hint: `Stop that process, or choose another folder.`,
      });
    }
    await removeDeadLock(path, holder);
  }
  throw new EnvironmentError(`${what} is being taken by other processes (${folder})`);
}

// Two processes may find the same dead lock at once. Only the holder of the guard removes it, and only while it still
// is the lock that was found dead, so that nobody removes the lock the other one has just taken.
async function removeDeadLock(path: string, deadHolder: string): Promise<void> {
  const guard = `${path}.takeover`;
  try {
    await mkdir(guard);
  } catch {
    await delay(50);
    return;
  }
  try {
    if ((await readFile(path, 'utf8').catch(() => '')) === deadHolder) await unlink(path).catch(() => {});
  } finally {
    await rmdir(guard);
  }
}

async function releaseOwn(path: string, own: string): Promise<void> {
  const holder = await readFile(path, 'utf8').catch(() => '');
  if (holder === own) await unlink(path).catch(() => {});
}

async function isAlive(pid: number, startedAt: string): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemErrorCode(error) === 'ESRCH') return false;
  }
  // A pid is used again after a reboot: the start time tells the two processes apart where the system knows it.
  const actual = await processStartTime(pid);
  return actual === null || startedAt === 'unknown' || actual === startedAt;
}

/** Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat), or null where the system has no /proc. */
async function processStartTime(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[19] ?? null;
}
