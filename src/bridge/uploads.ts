import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { sql } from 'drizzle-orm';
import type { z } from 'zod';
import type { artifactTypes, uploadRequest } from '../protocol/messages.ts';
import { rowsOf } from './db/database.ts';
import type { LeaseDeps } from './leases/lease-deps.ts';
import { ProblemError } from './problem-error.ts';

/** Pictures one attempt may upload: a step that fails ends its run, so more than a few is no honest runner. */
const maxUploads = 50;

type ArtifactType = (typeof artifactTypes)[number];

/** One object to be put: all of it is signed. */
export interface UploadGrant {
  key: string;
  contentType: ArtifactType;
  bytes: number;
  sha256: string;
}

/** A PUT for exactly one object, and where it can be read afterwards. */
export interface PresignedPut {
  url: string;
  headers: Record<string, string>;
  publicUrl: string;
  expiresAtMs: number;
}

/** Signs uploads: to the bridge's own blobs in the embedded default. */
export interface Presigner {
  presign(grant: UploadGrant): PresignedPut;
}

/** A URL for the picture of a step of a held lease; null when the lease is not this runner's. The same request gives the same object. */
export async function requestUpload(
  { db, now }: LeaseDeps,
  presigner: Presigner,
  leaseId: string,
  runnerId: string,
  { fence, nodeId, contentType, bytes, sha256 }: z.output<typeof uploadRequest>,
): Promise<PresignedPut | null> {
  const [held] = await rowsOf<{ runId: string; uploads: number }>(
    db,
    sql`
      select l.run_id as "runId",
        (select count(*)::int from qualinet.uploads u where u.run_id = l.run_id and u.fence = l.fence) as uploads
      from qualinet.leases l
      where l.id = ${leaseId}::uuid and l.fence = ${fence} and l.runner_id = ${runnerId}::uuid
        and l.state = 'leased'`,
  );
  if (held === undefined) return null;
  if (held.uploads >= maxUploads) {
    throw new ProblemError('artifact_refused', { detail: `more than ${maxUploads} pictures of one attempt` });
  }
  const key = `runs/${held.runId}/${fence}/${shortHash(nodeId)}-${sha256}.${extensions[contentType]}`;
  const put = presigner.presign({ key, contentType, bytes, sha256 });
  await db.execute(sql`
    insert into qualinet.uploads
      (key, run_id, fence, node_id, content_type, bytes, sha256, public_url, requested_at)
    values (${key}, ${held.runId}::uuid, ${fence}, ${nodeId}, ${contentType}, ${bytes}, ${sha256}, ${put.publicUrl},
      ${now()})
    on conflict (key) do nothing`);
  return put;
}

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
    presign(grant) {
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
 * key that is still good.
 */
export function verifyPut(
  signingKey: Buffer,
  key: string,
  query: URLSearchParams,
  nowMs: number,
): UploadGrant {
  const refuse = (detail: string) => new ProblemError('not_allowed', { detail });
  const parts = blobKey.exec(key);
  const contentType = query.get('type') ?? '';
  const bytes = Number(query.get('bytes'));
  const expiresAtMs = Number(query.get('expires'));
  if (parts?.[1] === undefined || !isArtifactType(contentType)) throw refuse('this address takes no upload');
  const grant = { key, contentType, bytes, sha256: parts[1] };
  const expected = Buffer.from(signatureOf(signingKey, grant, expiresAtMs));
  const given = Buffer.from(query.get('signature') ?? '');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
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

/** Content type of a stored blob; null for anything that is no key of a blob. */
export function blobType(key: string): ArtifactType | null {
  const extension = blobKey.exec(key)?.[2];
  const [type] = (Object.keys(extensions) as ArtifactType[]).filter((name) => extensions[name] === extension);
  return type ?? null;
}

const extensions: Record<ArtifactType, string> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
};

const blobKey =
  /^runs\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\/\d{1,9}\/[0-9a-f]{16}-([0-9a-f]{64})\.(png|jpg|webp)$/;

function isArtifactType(text: string): text is ArtifactType {
  return Object.hasOwn(extensions, text);
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

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
