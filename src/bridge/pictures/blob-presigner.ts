import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { ProblemError } from '../problem-error.ts';
import { readPictureKey } from './picture-key.ts';
import type { Presigner, UploadGrant } from './presigner.ts';

/** Signs PUTs to `/v1/blobs/*` of this bridge with an HMAC over everything that matters. */
export function blobPresigner({
  signingKey,
  publicUrl,
  ttlMs,
  nowMs,
}: {
  signingKey: Buffer;
  publicUrl: () => string;
  ttlMs: number;
  nowMs: () => number;
}): Presigner {
  return {
    async presign(grant) {
      const expiresAtMs = nowMs() + ttlMs;
      const url = `${publicUrl()}/v1/blobs/${grant.key}`;
      const query = new URLSearchParams({
        type: grant.contentType,
        bytes: String(grant.bytes),
        expires: String(expiresAtMs),
        signature: signatureOf(signingKey, grant, expiresAtMs),
      });
      return {
        url: `${url}?${query}`,
        headers: { 'content-type': grant.contentType },
        publicUrl: url,
        expiresAtMs,
      };
    },
  };
}

/**
 * What a signed PUT is allowed to store. Throws `not_allowed` unless the URL's query carries a signature of ours for this
 * key that is still good: made with any of `signingKeys`.
 */
export function verifyPut(
  signingKeys: readonly Buffer[],
  key: string,
  query: URLSearchParams,
  nowMs: number,
): UploadGrant {
  const refuse = (detail: string) => new ProblemError('not_allowed', { detail });
  const picture = readPictureKey(key);
  const bytes = Number(query.get('bytes'));
  const expiresAtMs = Number(query.get('expires'));
  if (picture === null || query.get('type') !== picture.contentType) {
    throw refuse('this address takes no upload');
  }
  const grant = { key, bytes, ...picture };
  const given = Buffer.from(query.get('signature') ?? '');
  const isOurs = signingKeys.some((signingKey) => {
    const expected = Buffer.from(signatureOf(signingKey, grant, expiresAtMs));
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  if (!isOurs) {
    throw refuse('the signature of this address does not fit');
  }
  if (expiresAtMs <= nowMs) throw refuse('this address has expired; ask for a new one');
  return grant;
}

/** Throws `artifact_refused` unless the body is exactly the granted object. */
export function requireGranted(grant: UploadGrant, contentType: string | undefined, body: Uint8Array): void {
  const fault =
    contentType !== grant.contentType
      ? `content-type must be ${grant.contentType}`
      : body.length !== grant.bytes
        ? `the body has ${body.length} bytes; ${grant.bytes} were announced`
        : createHash('sha256').update(body).digest('hex') === grant.sha256
          ? null
          : 'the body is not the one whose SHA-256 was announced';
  if (fault !== null) throw new ProblemError('artifact_refused', { detail: fault });
}

function signatureOf(
  signingKey: Buffer,
  { key, contentType, bytes, sha256 }: UploadGrant,
  expiresAtMs: number,
): string {
  return createHmac('sha256', signingKey)
    .update(['qualinet-put/v1', key, contentType, bytes, sha256, expiresAtMs].join('\n'))
    .digest('base64url');
}
