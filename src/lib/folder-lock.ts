import { mkdir, readFile, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EnvironmentError, errorText, systemErrorCode } from './errors.ts';
import { ownIdentity, type ProcessIdentity, stateOf } from './process-alive.ts';

/** Held until released; release is safe to call twice. */
export interface FolderLock {
  release(): Promise<void>;
}

/** How often a holder touches its lock, for those who cannot see its process. */
const beatMs = 5_000;
/** A lock whose holder cannot be seen, and which is not touched for this long, is dead. */
const silenceMs = 3 * beatMs;
/** Removing a dead lock takes milliseconds; a guard older than this was left by a process that was killed at it. */
const guardMs = 10_000;

const folderHint = 'Check that this user may write there, and that the disk has room.';

/**
 * Takes `folder` for this process alone, by a file `lock` that says who holds it. A lock whose process has ended is taken
 * over, never one that is merely old; only where the process cannot be seen, in another container on the same volume, does
 * it count that its holder no longer touches it, and that is watched for 15 s.
 * Throws EnvironmentError naming the process that holds it.
 */
export async function lockFolder(
  folder: string,
  what: string,
  timing: { beatMs: number; silenceMs: number } = { beatMs, silenceMs },
): Promise<FolderLock> {
  const path = join(folder, 'lock');
  const { pid, startedAt, space } = await ownIdentity();
  const own = `${pid} ${startedAt} ${space}\n`;
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw new EnvironmentError(`cannot make the folder ${folder}: ${errorText(error)}`, {
      hint: folderHint,
      cause: error,
    });
  });
  for (let attempt = 0; attempt < 40; attempt += 1) {
    try {
      await writeFile(path, own, { flag: 'wx', mode: 0o600 });
      return held(path, own, timing.beatMs);
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') {
        throw new EnvironmentError(`cannot write ${path}: ${errorText(error)}`, {
          hint: folderHint,
          cause: error,
        });
      }
    }
    const text = await readFile(path, 'utf8').catch(() => '');
    const holder = holderIn(text);
    if (holder !== null && (await isHeld(path, holder, timing.silenceMs))) {
      throw new EnvironmentError(`${what} is in use by process ${holder.pid} (${folder})`, {
        hint: 'Stop that process, or choose another folder.',
      });
    }
    await removeDeadLock(path, text);
  }
  throw new EnvironmentError(`${what} is being taken by other processes (${folder})`, {
    hint: `If there are none, delete ${path} and ${path}.takeover`,
  });
}

/**
 * Number of the process that holds `folder`; null when none does. One that cannot be seen from here holds it while it
 * touches its lock.
 */
export async function lockHolder(folder: string): Promise<number | null> {
  const path = join(folder, 'lock');
  const holder = holderIn(await readFile(path, 'utf8').catch(() => ''));
  if (holder === null) return null;
  const state = await stateOf(holder);
  const touchedMs = state === 'foreign' ? await touchedAtMs(path) : null;
  const isHeldUnseen = touchedMs !== null && Date.now() - touchedMs < silenceMs;
  return state === 'alive' || isHeldUnseen ? holder.pid : null;
}

function held(path: string, own: string, everyMs: number): FolderLock {
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, everyMs);
  beat.unref();
  return {
    async release() {
      clearInterval(beat);
      const text = await readFile(path, 'utf8').catch(() => '');
      if (text === own) await unlink(path).catch(() => {});
    },
  };
}

function holderIn(text: string): ProcessIdentity | null {
  const [pid = '', startedAt = 'unknown', space = 'unknown'] = text.trim().split(' ');
  return text === '' ? null : { pid: Number(pid), startedAt, space };
}

async function isHeld(path: string, holder: ProcessIdentity, quietMs: number): Promise<boolean> {
  const state = await stateOf(holder);
  if (state !== 'foreign') return state === 'alive';
  const before = await touchedAtMs(path);
  for (let waitedMs = 0; waitedMs < quietMs; waitedMs += quietMs / 30) {
    await delay(quietMs / 30);
    const now = await touchedAtMs(path);
    if (now === null) return false;
    if (now !== before) return true;
  }
  return false;
}

async function touchedAtMs(path: string): Promise<number | null> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => null,
  );
}

// Two processes may find the same dead lock at once. Only the holder of the guard removes it, and only while it still
// is the lock that was found dead, so that nobody removes the lock the other one has just taken.
async function removeDeadLock(path: string, deadHolder: string): Promise<void> {
  const guard = `${path}.takeover`;
  try {
    await mkdir(guard);
  } catch {
    const since = await touchedAtMs(guard);
    if (since !== null && Date.now() - since > guardMs) await rm(guard, { recursive: true, force: true });
    else await delay(50);
    return;
  }
  try {
    if ((await readFile(path, 'utf8').catch(() => '')) === deadHolder) await unlink(path).catch(() => {});
  } finally {
    await rm(guard, { recursive: true, force: true });
  }
}
