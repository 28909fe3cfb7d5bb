import { resolve } from 'node:path';
import { z } from 'zod';
import { EnvironmentError, UsageError } from '../../lib/errors.ts';
import { Secret } from '../../lib/secret.ts';
import { dataFolder } from '../config.ts';
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
 * Finds the bridge: `--api`, else the one that runs on the data folder of this machine, else PUBLIC_URL. Throws
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
  const local = await readBridgeFile(folder);
  const remote = api ?? (local === null ? given(env['PUBLIC_URL']) : undefined);
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

function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
