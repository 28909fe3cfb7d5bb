import { constants } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Folders that a unit of the system does not see: ProtectHome= and PrivateTmp=. */
const hidden = ['/home', '/root', '/run/user', '/tmp', '/var/tmp'];

/**
 * Why a service of the system, as a user of its own, could not read a file; null when it can. Where it lies is asked first, then whether
 * others may pass each folder and read it.
 */
export async function whyUnreadable(path: string, root: string): Promise<string | null> {
  const place = hidden.find((folder) => path === folder || path.startsWith(`${folder}/`));
  if (place !== undefined) return `${path} is in ${place}, which a service does not see`;
  const file = await stat(join('/', root, path)).catch(() => null);
  if (file === null) return `${path} is not there`;
  if ((file.mode & constants.S_IROTH) === 0) return `${path} cannot be read by other users`;
  for (let folder = dirname(path); folder !== '/'; folder = dirname(folder)) {
    const { mode } = await stat(join('/', root, folder));
    if ((mode & constants.S_IXOTH) === 0) return `${folder} cannot be entered by other users`;
  }
  return null;
}

/** True for a program that npx keeps: it is gone when its cache is cleaned. */
export function isInNpxCache(program: string): boolean {
  return program.includes('/_npx/');
}
