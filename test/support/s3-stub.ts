import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A bucket that speaks as much S3 as presigned PUTs need, and is stricter than a real one: it wants content type and length
 * signed, no header of its maker's signed or sent, and under a key that ends in a hash nothing but what has that hash.
 * It computes signatures itself, from AWS's description, so that ours are not checked by the code that made them.
 */
export interface S3Stub {
  /** Its address, as B2_ENDPOINT. */
  readonly url: string;
  readonly bucket: string;
  /** What was stored, by key. */
  readonly objects: ReadonlyMap<string, { bytes: Buffer; contentType: string }>;
  /** Code of every refusal, as in its answer. */
  readonly refusals: readonly string[];
  /** Requests that have come, whatever became of them. */
  received(): number;
  /** What it does from now on: its work, no answer at all, or this status for everything. */
  become(state: 'well' | 'silent' | number): void;
  close(): Promise<void>;
}

export interface S3Account {
  bucket: string;
  region: string;
  keyId: string;
  applicationKey: string;
}

/** The account that tests use. */
export const testAccount: S3Account = {
  bucket: 'qualinet-pictures',
  region: 'eu-central-003',
  keyId: '003f0f0f0f0f0f00000000001',
  applicationKey: 'K003wJalrXUtnFEMI/K7MDENG+bPxRfiCY',
};

export async function startS3Stub({
  account = testAccount,
  nowMs = Date.now,
}: {
  account?: S3Account;
  nowMs?: () => number;
} = {}): Promise<S3Stub> {
  const objects = new Map<string, { bytes: Buffer; contentType: string }>();
  const refusals: string[] = [];
  let received = 0;
  let state: 'well' | 'silent' | number = 'well';
  const server = createServer((request, response) => {
    received += 1;
    if (state === 'silent') return;
    const wanted = state;
    void (async () => {
      const bytes = await bodyOf(request);
      if (wanted !== 'well') return refuse(response, wanted, 'InternalError');
      const verdict = judge(request, bytes, account, nowMs());
      if ('code' in verdict) {
        refusals.push(verdict.code);
        return refuse(response, verdict.status, verdict.code);
      }
      objects.set(verdict.key, { bytes, contentType: request.headers['content-type'] ?? '' });
      response.writeHead(200, { etag: `"${createHash('md5').update(bytes).digest('hex')}"` }).end();
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bucket: account.bucket,
    objects,
    refusals,
    received: () => received,
    become(next) {
      state = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What is signed, and by whom. */
interface PresignedRequest {
  method: string;
  /** Path as it was sent. */
  path: string;
  /** Query without the signature. */
  query: URLSearchParams;
  /** The signed headers. */
  headers: Readonly<Record<string, string>>;
  secret: string;
}

/** The signature of a presigned request. Source: AWS, "Authenticating Requests: Using Query Parameters (Signature Version 4)". */
export function presignedSignature({ method, path, query, headers, secret }: PresignedRequest): string {
  const names = Object.keys(headers).sort();
  const scope = (query.get('X-Amz-Credential') ?? '').split('/').slice(1);
  const canonical = [
    method,
    path
      .split('/')
      .map((part) => encoded(decodeURIComponent(part)))
      .join('/'),
    [...query]
      .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
      .sort()
      .join('&'),
    ...names.map((name) => `${name}:${headers[name]?.trim().replace(/ +/g, ' ')}`),
    '',
    names.join(';'),
    'UNSIGNED-PAYLOAD',
  ].join('\n');
  const text = [
    'AWS4-HMAC-SHA256',
    query.get('X-Amz-Date'),
    scope.join('/'),
    createHash('sha256').update(canonical).digest('hex'),
  ].join('\n');
  const hmac = (key: Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();
  return hmac(scope.reduce(hmac, Buffer.from(`AWS4${secret}`)), text).toString('hex');
}

type Verdict = { key: string } | { status: number; code: string };

function judge(request: IncomingMessage, body: Buffer, account: S3Account, nowMs: number): Verdict {
  const [path = '', search = ''] = (request.url ?? '').split('?');
  const query = new URLSearchParams(search);
  const denied = (code: string, status = 403): Verdict => ({ status, code });
  if (request.method !== 'PUT') return denied('MethodNotAllowed', 405);

  const names = request.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  const extra = [...names, ...[...query.keys()].map((name) => name.toLowerCase())];
  if (extra.some((name) => /^x-amz-(checksum-|sdk-)/.test(name))) return denied('InvalidArgument', 400);
  if (names.some((name) => name.startsWith('x-amz-') || name === 'authorization'))
    return denied('AccessDenied');
  if (request.headers['content-length'] === undefined) return denied('MissingContentLength', 411);

  const given = Object.fromEntries(query);
  const known = ['Algorithm', 'Credential', 'Date', 'Expires', 'Signature', 'SignedHeaders'];
  if (Object.keys(given).sort().join() !== known.map((name) => `X-Amz-${name}`).join()) {
    return denied('AuthorizationQueryParametersError', 400);
  }
  const date = given['X-Amz-Date'] ?? '';
  const signedAtMs = Date.parse(
    date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'),
  );
  const lifeS = Number(given['X-Amz-Expires']);
  const scope = [account.keyId, date.slice(0, 8), account.region, 's3', 'aws4_request'].join('/');
  if (
    given['X-Amz-Algorithm'] !== 'AWS4-HMAC-SHA256' ||
    Number.isNaN(signedAtMs) ||
    !Number.isInteger(lifeS) ||
    lifeS < 1 ||
    lifeS > 604_800 ||
    given['X-Amz-Credential'] !== scope
  ) {
    return denied('AuthorizationQueryParametersError', 400);
  }
  if (signedAtMs > nowMs + 15 * 60_000) return denied('RequestTimeTooSkewed');
  if (nowMs > signedAtMs + lifeS * 1_000) return denied('AccessDenied');
  if (given['X-Amz-SignedHeaders'] !== 'content-length;content-type;host') return denied('AccessDenied');

  const { 'X-Amz-Signature': signature, ...unsigned } = given;
  const expected = presignedSignature({
    method: request.method,
    path,
    query: new URLSearchParams(unsigned),
    headers: {
      host: request.headers.host ?? '',
      'content-type': request.headers['content-type'] ?? '',
      'content-length': request.headers['content-length'],
    },
    secret: account.applicationKey,
  });
  if (signature !== expected) return denied('SignatureDoesNotMatch');

  const prefix = `/${account.bucket}/`;
  if (!path.startsWith(prefix)) return denied('NoSuchBucket', 404);
  const key = decodeURIComponent(path.slice(prefix.length));
  const hash = /([0-9a-f]{64})\.\w+$/.exec(key)?.[1];
  if (hash !== createHash('sha256').update(body).digest('hex')) return denied('BadDigest', 400);
  return { key };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response
    .writeHead(status, { 'content-type': 'application/xml' })
    .end(`<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>no</Message></Error>`);
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
