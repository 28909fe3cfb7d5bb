import { access, constants, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorText } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';

/** A folder a runner can work in, and what to do with it at the end. */
export interface WritableHome {
  path: string;
  remove(): Promise<void>;
}

/**
 * `home` where it can be written, else a temporary folder: a container with a read-only file system needs no credentials
 * file, but what it owes after a crash is then gone with it.
 */
export async function writableHome(home: string, log: Log): Promise<WritableHome> {
  try {
    await mkdir(home, { recursive: true, mode: 0o700 });
    await access(home, constants.W_OK | constants.X_OK);
    return { path: home, remove: async () => {} };
  } catch (error) {
    const path = await mkdtemp(join(tmpdir(), 'qualinet-home-'));
    log.warn(`${home} cannot be written (${errorText(error)}); ${path} is used until this runner ends`);
    return { path, remove: () => rm(path, { recursive: true, force: true }) };
  }
}
