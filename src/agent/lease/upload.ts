import { createHash } from 'node:crypto';
import { abortScope } from '../../lib/abort-scope.ts';
import type { Clock } from '../../lib/clock.ts';
import { errorText } from '../../lib/errors.ts';
import { limits } from '../../protocol/limits.ts';
import type { LeaseDeed } from '../agent-event.ts';
import type { BridgeClient } from '../client/bridge-client.ts';
import { NoAnswerError } from '../client/bridge-errors.ts';
import { explainNetworkFailure } from '../client/network-failure.ts';
import { type RetryDeps, withRetry } from '../client/retry.ts';
import type { Storage } from '../client/storage.ts';
import { readBody } from '../client/transport.ts';
import { whyNotUpload } from '../policy/refusals.ts';
import type { Picture } from '../spool/spool-layout.ts';
import type { MachineRules } from './admit-run.ts';

/** Where the picture is, or why it is nowhere. */
export type UploadedPicture = { url: string } | { problem: string };

export interface UploadDeps extends RetryDeps {
  client: BridgeClient;
  storage: Storage;
  rules: Pick<MachineRules, 'policy'>;
  clock: Clock;
  signal: AbortSignal;
  onDeed(deed: LeaseDeed): void;
}

/** Longest a picture may delay the verdict, both tries together. */
const totalMs = 20_000;
const tries = 2;

/** Asks for an address for exactly this picture and puts it there. Never throws: a verdict without its picture says why. */
export async function uploadPicture(
  lease: { leaseId: string; fence: number },
  picture: Picture,
  deps: UploadDeps,
): Promise<UploadedPicture> {
  const uploaded = await upload(lease, picture, deps);
  if ('problem' in uploaded) {
    deps.onDeed({ type: 'picture_failed', nodeId: picture.nodeId, why: uploaded.problem });
  }
  return uploaded;
}

async function upload(
  { leaseId, fence }: { leaseId: string; fence: number },
  { nodeId, bytes, contentType }: Picture,
  deps: UploadDeps,
): Promise<UploadedPicture> {
  const forbidden = whyNotUpload(null, deps.rules.policy);
  if (forbidden !== null) return { problem: forbidden };
  if (bytes.byteLength > limits.artifactBytes) {
    return {
      problem: `the picture has ${bytes.byteLength} bytes; ${limits.artifactBytes} are taken`,
    };
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const scope = abortScope([deps.signal], {
    clock: deps.clock,
    timeoutMs: totalMs,
    reason: () => new NoAnswerError(`the picture could not be uploaded within ${totalMs / 1_000} s`),
  });
  try {
    const target = await withRetry(
      () =>
        deps.client.call('requestUpload', {
          params: { leaseId },
          body: { fence, nodeId, contentType, bytes: bytes.byteLength, sha256 },
          signal: scope.signal,
        }),
      { signal: scope.signal, retries: tries - 1 },
      deps,
    );
    // Addresses for an upload are as good as a password, and are told to nobody.
    for (const { protocol, username, password } of [new URL(target.url), new URL(target.publicUrl)]) {
      if (!/^https?:$/.test(protocol))
        return { problem: `what the bridge gives is no http address (${protocol})` };
      if (username !== '' || password !== '') {
        return {
          problem:
            'the address that the bridge gives holds a user name or password; its operators must take them out',
        };
      }
    }
    const url = new URL(target.url);
    const whyNot = whyNotUpload(url, deps.rules.policy) ?? deps.storage.whyNot(url);
    if (whyNot !== null) return { problem: `the picture was not sent to ${url.host}: ${whyNot}` };
    const header = Object.keys(target.headers).find((name) => !storageHeader.test(name));
    if (header !== undefined) {
      return {
        problem: `the picture was not sent: the bridge wants the header ${header.slice(0, 100)} with it`,
      };
    }
    deps.onDeed({ type: 'picture_leaves', nodeId, host: url.host, bytes: bytes.byteLength, sha256 });
    await withRetry(
      () => put(target.url, target.headers, bytes, scope.signal, deps.storage),
      { signal: scope.signal, retries: tries - 1 },
      deps,
    );
    return { url: target.publicUrl };
  } catch (error) {
    return { problem: `the picture was not uploaded: ${errorText(error)}`.slice(0, limits.textLength) };
  } finally {
    scope.close();
  }
}

/** What storage is told about an object. Others (a host, a cookie, a range) could make this machine say things to its neighbours. */
const storageHeader =
  /^(content-(type|length|md5|disposition|encoding)|cache-control|if-none-match|x-[a-z0-9-]+)$/i;

/** The storage is a stranger: it gets the headers it asked for, and none of ours. */
async function put(
  url: string,
  headers: Readonly<Record<string, string>>,
  bytes: Uint8Array,
  signal: AbortSignal,
  storage: Pick<Storage, 'send' | 'proxyFor'>,
): Promise<void> {
  let status: number;
  let said: string;
  try {
    const response = await storage.send({ method: 'PUT', url, headers, body: bytes, signal });
    status = response.status;
    said = Buffer.from(await readBody(response, limits.smallBodyBytes)).toString();
  } catch (error) {
    signal.throwIfAborted();
    const { origin } = new URL(url);
    const { text, hint } = explainNetworkFailure(origin, error, storage.proxyFor(url));
    // A result has one sentence for it, so what to do stands in there.
    throw new NoAnswerError(`${origin} did not take it: ${text}${hint === null ? '' : `. ${hint}`}`, {
      cause: error,
    });
  }
  if (status < 200 || status >= 300) {
    // Storage that speaks S3 says in one word what is wrong: `SignatureDoesNotMatch` is a wrong key in the bridge's hands.
    const code = /<Code>(\w{1,100})<\/Code>/.exec(said)?.[1];
    throw new NoAnswerError(
      `${new URL(url).origin} answered ${status}${code === undefined ? '' : ` (${code})`}`,
    );
  }
}
