// Makes a fresh clone ready: packages, programs, browser. Each step does nothing where nothing is missing.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Says what is going on, on stderr. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Installs what the lockfile of a folder asks for, unless all of it is there. Ends the process when that fails. */
export function installPackages(folder = root) {
  if (missingPackages(folder).length === 0) return;
  say('Installing packages …');
  // No package here needs its install scripts, and none may run unasked.
  const npm = process.env.npm_execpath;
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const { status, error } = spawnSync(command, [...first, ...args], { cwd: folder, stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    say(`error: npm ci failed${error ? `: ${error.message}` : ''}; its own message is above.`);
    process.exit(1);
  }
}

/** Packages of the lockfile that are not installed in their version; those for other platforms do not count. */
function missingPackages(folder) {
  const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
  return Object.entries(packages).filter(([path, { version, optional, link }]) => {
    if (path === '' || optional || link) return false;
    const manifest = join(folder, path, 'package.json');
    return !existsSync(manifest) || JSON.parse(readFileSync(manifest, 'utf8')).version !== version;
  });
}

/** The packages folder of the runners that the benchmark measures against, with the driver that one of them needs. */
export function providePeers() {
  const folder = join(root, 'test/bench/peers');
  installPackages(folder);
  installPrograms([
    ...(isMissing('chromedriver') ? ['chromium-driver'] : []),
    ...(existsSync('/usr/lib/chromium/chromium') ? [] : ['chromium']),
  ]);
  return join(folder, 'node_modules');
}

/** Builds dist/. */
export async function buildPrograms() {
  const { build } = await import('./build.js');
  await build();
}

/** Path of a Chromium, found or installed by the same module that `qualinet` uses. Ends the process when there is none to be had. */
export function provideBrowser() {
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(root, 'bin/qualinet.js'), 'install-browser', '--if-missing', '--json'],
    { stdio: ['ignore', 'pipe', 2], encoding: 'utf8' },
  );
  if (status !== 0) process.exit(status ?? 1);
  return JSON.parse(stdout).path;
}

/**
 * Installs the servers and shells that the suite starts for itself, on Debian and Ubuntu as root. Elsewhere it leaves them to the
 * suite, which says what is missing and ends.
 */
export function provideServers() {
  // test/support/server-programs.ts names the same when they are missing.
  const programs = JSON.parse(readFileSync(join(root, 'scripts/server-packages.json'), 'utf8'));
  installPrograms([
    ...Object.keys(programs)
      .filter(isMissing)
      .map((program) => programs[program]),
    ...(isMissing('postgres') && !existsSync('/usr/lib/postgresql') ? ['postgresql'] : []),
    ...['zsh', 'fish'].filter(isMissing),
  ]);
}

function isMissing(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0;
}

/** Installs Debian packages; does nothing where that cannot be done. Ends the process when it fails. */
function installPrograms(packages) {
  if (packages.length === 0 || isMissing('apt-get') || process.getuid?.() !== 0) return;
  say(`Installing ${packages.join(', ')} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const isOurs = keepServicesOff();
  const failed = [['update'], ['install', '--yes', '--no-install-recommends', ...packages]].find(
    (args) => spawnSync('apt-get', ['-qq', ...args], { stdio: ['ignore', 2, 2], env }).status !== 0,
  );
  if (isOurs) rmSync(servicePolicy);
  if (failed === undefined) return;
  say(`error: apt-get ${failed[0]} failed; its own message is above.`);
  process.exit(1);
}

const servicePolicy = '/usr/sbin/policy-rc.d';

/**
 * Debian starts each server that it installs, a proxy on all addresses too; the suite starts its own. False where the machine has
 * a policy about that already.
 */
function keepServicesOff() {
  try {
    writeFileSync(servicePolicy, '#!/bin/sh\nexit 101\n', { flag: 'wx', mode: 0o755 });
    return true;
  } catch {
    return false;
  }
}

/** Runs a program to its end with our streams and ends this process with its exit code. */
export function endWith(command, args, env = {}) {
  const { status, signal, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (error) throw error;
  process.exit(signal === null ? (status ?? 1) : 1);
}

/** Path of a development tool's own program in node_modules. */
export function tool(path) {
  return join(root, 'node_modules', path);
}
