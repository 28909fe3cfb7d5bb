import { randomBytes } from 'node:crypto';
import { mkdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { EnvironmentError, errorText } from '../../lib/errors.ts';
import { type FolderLock, lockFolder } from '../../lib/folder-lock.ts';
import { readPrivateJsonFile, writeJsonFile } from '../../lib/json-file.ts';
import { Secret } from '../../lib/secret.ts';

/** The data folder of the embedded default, held by this process alone. */
export interface DataFolder {
  readonly path: string;
  readonly databaseFolder: string;
  readonly blobFolder: string;
  release(): Promise<void>;
}

/** Makes the folder (0700) where it is missing, and takes it. Throws EnvironmentError when another bridge has it or it cannot be made. */
export async function openDataFolder(path: string): Promise<DataFolder> {
  const databaseFolder = join(path, 'database');
  const blobFolder = join(path, 'blobs');
  try {
    // A folder that was there keeps its mode, it may be shared; what is put into it is for this user alone.
    for (const own of [path, databaseFolder]) await mkdir(own, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new EnvironmentError(`cannot use the data folder ${path}: ${errorText(error)}`, {
      hint: 'Set QUALINET_DATA_DIR to a folder this user may write.',
      cause: error,
    });
  }
  const lock: FolderLock = await lockFolder(path, 'the data folder');
  return {
    path,
    databaseFolder,
    blobFolder,
    release: () => lock.release(),
  };
}

const secretsSchema = z.strictObject({ workerSecret: z.string().min(16), adminToken: z.string().min(16) });

/** Secrets of a bridge that was given none, made once and kept in `secrets.json` (0600). */
export async function ownSecrets(folder: string): Promise<{ workerSecret: Secret; adminToken: Secret }> {
  const path = join(folder, 'secrets.json');
  const kept = await readPrivateJsonFile(path);
  const made = { workerSecret: random(), adminToken: random() };
  if (kept === null) await writeJsonFile(path, made);
  const parsed = secretsSchema.safeParse(kept ?? made);
  if (!parsed.success) {
    throw new EnvironmentError(`${path} does not hold the secrets of a bridge`, {
      hint: 'Move it away to have new ones made; runners must then be paired again.',
    });
  }
  return {
    workerSecret: new Secret(parsed.data.workerSecret),
    adminToken: new Secret(parsed.data.adminToken),
  };
}

const bridgeFileSchema = z.object({ url: z.url(), adminToken: z.string(), pid: z.number().int() });

/** What commands on the same machine need to reach the running bridge. */
export interface BridgeFile {
  url: string;
  adminToken: Secret;
  pid: number;
}

/** Writes `bridge.json` (0600) for as long as the bridge runs; the returned function removes it. */
export async function writeBridgeFile(
  folder: string,
  { url, adminToken, pid }: BridgeFile,
): Promise<() => Promise<void>> {
  const path = bridgeFilePath(folder);
  await writeJsonFile(path, { url, adminToken: adminToken.reveal(), pid });
  return () => unlink(path).catch(() => {});
}

/** The bridge that runs on this data folder, or that ran and was killed. Null when there is none. */
export async function readBridgeFile(folder: string): Promise<BridgeFile | null> {
  const parsed = bridgeFileSchema.safeParse(await readPrivateJsonFile(bridgeFilePath(folder)));
  return parsed.success ? { ...parsed.data, adminToken: new Secret(parsed.data.adminToken) } : null;
}

function bridgeFilePath(folder: string): string {
  return join(folder, 'bridge.json');
}

function random(): string {
  return randomBytes(32).toString('base64url');
}
