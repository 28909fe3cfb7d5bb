import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import { BridgeUnavailableError, errorText } from '../../lib/errors.ts';
import { readPrivateJsonFile, writeJsonFile } from '../../lib/json-file.ts';
import type { Log } from '../../lib/log.ts';
import type { Secret } from '../../lib/secret.ts';
import { deriveKey, keyidOf } from '../../protocol/keys.ts';
import type { Host } from '../../protocol/messages.ts';
import { createBridgeClient } from '../client/bridge-client.ts';
import { NoAnswerError } from '../client/bridge-errors.ts';
import { oneKey } from '../client/key-ring.ts';
import { type RetryDeps, withRetry } from '../client/retry.ts';
import type { Transport } from '../client/transport.ts';
import type { Credentials } from './credentials.ts';

/** A container of the operator's own, which holds WORKER_SECRET instead of credentials. */
export interface EnrolRequest {
  home: string;
  apiBaseUrl: string;
  workerSecret: Secret;
  host: Host;
  name: string | null;
  labels: readonly string[];
}

export interface EnrolDeps extends RetryDeps {
  transport: Transport;
  log: Log;
  version: string;
  signal: AbortSignal;
}

/** Tries before the bridge counts as unavailable: about a minute. */
const tries = 6;

/**
 * Makes this process a runner without a code. Its key is derived here, from the secret and the runner's id, and is never
 * sent or stored. Throws BridgeUnavailableError when the bridge cannot be reached or does not know the secret.
 */
export async function enrolRunner(request: EnrolRequest, deps: EnrolDeps): Promise<Credentials> {
  const { apiBaseUrl, workerSecret, host, name, labels } = request;
  const runnerId = await ownRunnerId(request.home, deps.log);
  const enrolKey = {
    keyid: keyidOf({ kind: 'enrol', runnerId }),
    secret: deriveKey(workerSecret, { kind: 'enrol', runnerId }),
  };
  const client = createBridgeClient({ ...deps, apiBaseUrl, keys: oneKey('enrol', enrolKey) });
  const body = {
    host,
    ...(name === null ? {} : { name }),
    ...(labels.length === 0 ? {} : { labels: [...labels] }),
  };
  const answer = await withRetry(
    () => client.call('enrol', { body, signal: deps.signal }),
    { signal: deps.signal, retries: tries - 1, onRetry: (error) => deps.log.warn(error.message) },
    deps,
  ).catch((error: unknown) => {
    if (!(error instanceof NoAnswerError)) throw error;
    throw new BridgeUnavailableError(error.message, {
      cause: error,
      hint:
        error.problem === 'signature_invalid' || error.problem === 'unknown_key'
          ? 'WORKER_SECRET must be the same as the one of the bridge, and API_BASE_URL the same as its PUBLIC_URL.'
          : (error.hint ?? 'Check API_BASE_URL and that the bridge runs.'),
    });
  });
  const { generation, notBefore, notAfter, keyid } = answer;
  return {
    runnerId: answer.runnerId,
    apiBaseUrl,
    name: answer.name,
    workspace: answer.workspace,
    labels: answer.labels,
    mode: answer.mode,
    keys: [
      {
        keyid,
        generation,
        notBefore,
        notAfter,
        secret: deriveKey(workerSecret, { kind: 'runner', runnerId: answer.runnerId, generation }),
      },
    ],
    pairedAt: new Date(deps.clock.nowMs()).toISOString(),
  };
}

const fileSchema = z.strictObject({ runnerId: z.uuid() });

/** The id of this home's container, made once. A home that cannot be written gives a new one each start. */
async function ownRunnerId(home: string, log: Log): Promise<string> {
  const path = join(home, 'enrolled.json');
  const kept = fileSchema.safeParse(await readPrivateJsonFile(path));
  if (kept.success) return kept.data.runnerId;
  const runnerId = randomUUID();
  try {
    await writeJsonFile(path, { runnerId });
  } catch (error) {
    log.warn(`${errorText(error)}; this runner will have a new id at its next start`);
  }
  return runnerId;
}
