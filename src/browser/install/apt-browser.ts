import { type BrowserKind, type BrowserMachine, onPath } from './browser-machine.ts';
import { programFailure, runBrowserProgram } from './run-browser-program.ts';

/**
 * Installs Debian's Chromium with apt-get, where that needs no question: as root. Null when it went well, else why
 * not. The package depends on a font through fontconfig, so text is drawn on a bare image too.
 */
export async function installAptBrowser(
  kind: BrowserKind,
  machine: BrowserMachine,
  signal?: AbortSignal,
): Promise<string | null> {
  const [aptGet] = machine.platform === 'linux' ? await onPath(machine, 'apt-get') : [];
  if (aptGet === undefined) return 'this system has no apt-get';
  const name = aptPackage(kind);
  if (machine.uid !== 0) return `it needs root: sudo apt-get install ${name}`;
  const limitMs = machine.limits.aptMs;
  const silenceS = Math.ceil(machine.limits.silenceMs / 1000);
  const bounds = [
    `Acquire::http::Timeout=${silenceS}`,
    `Acquire::https::Timeout=${silenceS}`,
    'Acquire::Retries=1',
    'DPkg::Lock::Timeout=60',
  ].flatMap((bound) => ['-o', bound]);
  const env = { ...machine.env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = (...args: string[]) =>
    runBrowserProgram(aptGet, [...bounds, ...args], { env, limitMs, signal });
  machine.say(`trying apt-get install ${name} (about 100 MB)`);
  // One broken third-party source fails the update and says nothing about Debian's own lists.
  const update = await run('-qq', 'update');
  if (update.how !== 'exited') return programFailure(update, limitMs);
  const install = await run('-qq', 'install', '-y', '--no-install-recommends', name);
  return install.how === 'exited' && install.code === 0 ? null : programFailure(install, limitMs);
}

/** Name of the package in Debian. */
export function aptPackage(kind: BrowserKind): string {
  return kind === 'headless-shell' ? 'chromium-headless-shell' : 'chromium';
}
