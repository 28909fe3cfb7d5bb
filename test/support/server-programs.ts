import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
// Programs that the suite starts for itself -> the Debian package that brings each.
import packages from '../../scripts/server-packages.json' with { type: 'json' };

/** Where they are. */
export interface ServerPrograms extends Record<keyof typeof packages, string> {
  /** Folder with `postgres` and `initdb`. */
  postgresFolder: string;
}

/**
 * Finds them on PATH and where system programs are, and PostgreSQL also where Debian puts it. Throws with what to install:
 * the suite never goes on without.
 */
export function findServerPrograms(): ServerPrograms {
  const postgresFolder = [...debianFolders(), ...pathFolders()].find((folder) =>
    ['postgres', 'initdb'].every((name) => existsSync(join(folder, name))),
  );
  const found = Object.keys(packages).map((name) => [name, onPath(name)] as const);
  const missing = [
    ...found.filter(([, path]) => path === null).map(([name]) => packages[name as keyof typeof packages]),
    ...(postgresFolder === undefined ? ['postgresql'] : []),
  ];
  if (missing.length > 0) {
    throw new Error(
      `the suite needs ${missing.join(', ')}; install with: apt-get install ${missing.join(' ')} (npm test does so as root on Debian and Ubuntu)`,
    );
  }
  return { ...Object.fromEntries(found), postgresFolder } as ServerPrograms;
}

/** A port of the loopback address that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** PostgreSQL refuses to run as root; then it runs as the user its package made, else as nobody. */
export function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  for (const user of ['postgres', 'nobody']) {
    const ids = ['-u', '-g'].map((flag) => spawnSync('id', [flag, user], { encoding: 'utf8' }));
    const [uid, gid] = ids.map(({ status, stdout }) => (status === 0 ? Number(stdout) : Number.NaN));
    if (uid !== undefined && gid !== undefined && uid > 0 && gid > 0) return { uid, gid };
  }
  throw new Error('running as root, and there is no user to run PostgreSQL as');
}

function onPath(name: string): string | null {
  return (
    [...pathFolders(), '/usr/sbin'].map((folder) => join(folder, name)).find((path) => existsSync(path)) ??
    null
  );
}

function pathFolders(): string[] {
  return (process.env['PATH'] ?? '').split(':').filter((folder) => folder !== '');
}

// Newest first.
function debianFolders(): string[] {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(root, version, 'bin'));
}
