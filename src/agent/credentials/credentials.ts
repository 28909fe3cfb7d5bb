import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { EnvironmentError, errorText, NotPairedError, systemErrorCode } from '../../lib/errors.ts';
import { readPrivateJsonFile, writeJsonFile } from '../../lib/json-file.ts';
import { Secret } from '../../lib/secret.ts';
import { labelsSchema, runnerModes, workspaceSchema } from '../../protocol/messages.ts';
import { fieldPath } from '../../protocol/problem.ts';
import type { SigningKey } from '../../protocol/signing.ts';
import { findRedisUrl } from '../client/redis-url.ts';

/** One generation of the runner's key. */
export interface RunnerKey extends SigningKey {
  generation: number;
  /** ISO 8601. */
  notBefore: string;
  notAfter: string;
}

/** Who this runner is, and what proves it. */
export interface Credentials {
  runnerId: string;
  /** The bridge's own name for itself: requests are sent to it and signed for it. */
  apiBaseUrl: string;
  name: string;
  workspace: string;
  labels: readonly string[];
  mode: (typeof runnerModes)[number];
  /** One key; two while a rotation is not finished. */
  keys: readonly RunnerKey[];
  /** ISO 8601. */
  pairedAt: string;
}

/** `<home>/runner.json`. */
export function credentialsPath(home: string): string {
  return join(home, 'runner.json');
}

/** The key to sign with: the newest. */
export function newestKey({ keys }: Pick<Credentials, 'keys'>): RunnerKey {
  const [newest] = [...keys].sort((a, b) => b.generation - a.generation);
  if (newest === undefined) throw new Error('credentials without a key');
  return newest;
}

const pairAgain = 'Pair again: qualinet pair --force';

/** The credentials of this home, null when it has none. Throws EnvironmentError for a file that is refused. */
export async function readCredentials(home: string): Promise<Credentials | null> {
  const path = credentialsPath(home);
  const json = await readPrivateJsonFile(path, { whenBroken: pairAgain });
  if (json === null) return null;
  const redisAt = findRedisUrl(json);
  if (redisAt !== null) {
    throw new EnvironmentError(`${path} holds a Redis address (${redisAt}); a runner must not have one`, {
      hint: 'Remove the file, revoke that Redis password, and pair again: qualinet pair',
    });
  }
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) {
    throw new EnvironmentError(`${path} is not a credentials file of this version`, {
      problems: parsed.error.issues.map((issue) => `${fieldPath(issue.path)}: ${issue.message}`),
      hint: pairAgain,
    });
  }
  const { version: _version, keys, ...rest } = parsed.data;
  return { ...rest, keys: keys.map(({ secret, ...key }) => ({ ...key, secret: new Secret(secret) })) };
}

/** The credentials of this home. Throws NotPairedError that says what to type. */
export async function requireCredentials(home: string): Promise<Credentials> {
  const credentials = await readCredentials(home);
  if (credentials !== null) return credentials;
  throw new NotPairedError(`this machine is not paired (there is no ${credentialsPath(home)})`, {
    hint: 'Get a code from the operators of your bridge, then: qualinet pair CODE --api https://…',
  });
}

/** Writes the file: whole or not at all, readable by its owner only. */
export async function saveCredentials(home: string, { keys, ...rest }: Credentials): Promise<void> {
  await writeJsonFile(credentialsPath(home), {
    version: 1,
    ...rest,
    keys: keys.map(({ secret, ...key }) => ({ ...key, secret: secret.reveal() })),
  });
}

/** Deletes the file; one that is gone already is fine. */
export async function deleteCredentials(home: string): Promise<void> {
  const path = credentialsPath(home);
  await unlink(path).catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return;
    throw new EnvironmentError(`cannot delete ${path}: ${errorText(error)}`, { cause: error });
  });
}

const isoTime = z.iso.datetime();

const fileSchema = z.strictObject({
  version: z.literal(1),
  runnerId: z.uuid(),
  apiBaseUrl: z.url({ protocol: /^https?$/ }),
  name: z.string().min(1).max(200),
  workspace: workspaceSchema,
  labels: labelsSchema,
  mode: z.enum(runnerModes),
  keys: z
    .array(
      z.strictObject({
        keyid: z.string().min(3).max(80),
        generation: z.number().int().positive(),
        secret: z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be 32 bytes as base64url'),
        notBefore: isoTime,
        notAfter: isoTime,
      }),
    )
    .min(1)
    .max(2),
  pairedAt: isoTime,
});
