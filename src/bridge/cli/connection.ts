import { resolve } from 'node:path';
import * as z from 'zod';
import { EnvironmentError, UsageError } from '../../lib/errors.ts';
import { Secret } from '../../lib/secret.ts';
import { addressUrl, dataFolder, defaultPort } from '../config.ts';
import { readBridgeFile } from '../embedded/data-folder.ts';

/** How a command reaches the bridge as an operator. */
export interface Connection {
  url: string;
  token: Secret;
}

/** Options every command that talks to a bridge has. */
export const connectionOptions = {
  api: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).optional(),
  dataDir: z.string().min(1).optional(),
  json: z.boolean().default(false),
};

/** Labels as one option: `eu,linux`. */
export const labelsOption = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((label) => label.trim())
      .filter((label) => label !== ''),
  )
  .optional();

/**
 * Finds the bridge: `--api`, else the one that runs on the data folder of this machine, else PUBLIC_URL, else the address
 * of bridges on shared servers. Throws
 * EnvironmentError when there is none, or no token for it.
 */
export async function findBridge(
  { api, dataDir }: { api?: string | undefined; dataDir?: string | undefined },
  env: Readonly<Record<string, string | undefined>>,
): Promise<Connection> {
  if (api !== undefined && dataDir !== undefined) {
    throw new UsageError('--api and --data-dir name two bridges; give one of them');
  }
  const folder = dataDir === undefined ? dataFolder(env) : resolve(dataDir);
  // Bridges on shared servers write no file; they are found by the address they were given.
  const isShared = dataDir === undefined && given(env['DATABASE_URL']) !== undefined;
  const local = isShared ? null : await readBridgeFile(folder);
  const remote =
    api ??
    (local === null ? (given(env['PUBLIC_URL']) ?? (isShared ? ownAddress(env) : undefined)) : undefined);
  if (remote === undefined) {
    if (local !== null) return { url: local.url, token: local.adminToken };
    throw new EnvironmentError(`no bridge runs on the data folder ${folder}`, {
      hint: 'Start one with: qualinet-bridge serve. For a bridge elsewhere give --api URL and QUALINET_ADMIN_TOKEN.',
    });
  }
  const url = remote.replace(/\/+$/, '');
  const token = given(env['QUALINET_ADMIN_TOKEN']);
  if (token !== undefined) return { url, token: new Secret(token) };
  if (local !== null && local.url === url) return { url, token: local.adminToken };
  throw new EnvironmentError(`there is no operator token for ${url}`, {
    hint: "Set QUALINET_ADMIN_TOKEN to that bridge's token.",
  });
}

function ownAddress(env: Readonly<Record<string, string | undefined>>): string {
  return addressUrl(given(env['HOST']) ?? '127.0.0.1', Number(given(env['PORT']) ?? defaultPort));
}

function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
