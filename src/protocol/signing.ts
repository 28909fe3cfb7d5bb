import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  component,
  createSignatureSync,
  isSignatureError,
  type RequestDescriptor,
  type ResponseDescriptor,
  type SignatureComponent,
  verifySignature,
} from 'http-message-sig';
import { Secret } from '../lib/secret.ts';
import type { ProblemCode } from './problem.ts';

// The profile qualinet-v1 of HTTP Message Signatures (RFC 9421): one label `q`, hmac-sha256, fixed and ordered components
// and parameters. Whatever looks different is refused before any parser sees it. `alg` is never sent, it belongs to the key.

/** Seconds a signed request may be delivered after it was signed. */
const requestLifeS = 60;
/** A request created longer ago than this, or further ahead than {@link maxAheadS}, means that the clocks differ. */
const maxAgeS = 300;
const maxAheadS = 60;

/** How long a bridge must remember a nonce: no request that bears it is accepted after this. */
export const nonceMemoryMs = (maxAgeS + maxAheadS) * 1_000;

/** A runner whose clock is off by more than this is told so, and signs with the bridge's time from then on. */
export const clockToleranceMs = Math.min(requestLifeS, maxAheadS) * 1_000;

/** A key to sign or verify with; `secret` is base64url. */
export interface SigningKey {
  keyid: string;
  secret: Secret;
}

/** A request as both sides see it. `url` is absolute; for the bridge its origin comes from PUBLIC_URL, never from Host. */
export interface RequestMessage {
  method: string;
  url: string;
  headers: Readonly<Record<string, string | undefined>>;
  /** Null for no body. */
  body: Uint8Array | null;
}

/** An answer with a body; header names in lower case. */
export interface ResponseMessage {
  status: number;
  headers: Readonly<Record<string, string | undefined>>;
  body: Uint8Array;
}

const bare = ['@method', '@authority', '@path', '@query'] as const;
const withBody = [...bare, 'content-type', 'content-digest'] as const;
const responseComponents: readonly SignatureComponent[] = [
  '@status',
  'content-type',
  'content-digest',
  component('@method', { req: true }),
  component('@path', { req: true }),
  component('signature', { req: true, key: 'q' }),
];

const tail = (tag: string) =>
  `;created=(\\d{10,11});expires=(\\d{10,11});nonce="([A-Za-z0-9_-]{22})";keyid="([a-z0-9.-]{3,80})";tag="${tag}"$`;
const requestInput = new RegExp(
  `^q=\\("@method" "@authority" "@path" "@query"( "content-type" "content-digest")?\\)${tail('qualinet-req-v1')}`,
);
const responseInput = new RegExp(
  `^q=\\("@status" "content-type" "content-digest" "@method";req "@path";req "signature";req;key="q"\\)${tail('qualinet-res-v1')}`,
);
const signatureField = /^q=:[A-Za-z0-9+/]{43}=:$/;

/** Headers that make `message` a signed request. `nowMs` is the signer's wall clock, corrected for a known offset. */
export function signRequest(message: RequestMessage, key: SigningKey, nowMs: number): Record<string, string> {
  const digest = message.body === null ? {} : { 'content-digest': contentDigest(message.body) };
  const fields = createSignatureSync(requestDescriptor(message, digest), {
    label: 'q',
    components: message.body === null ? bare : withBody,
    parameters: parameters(key, nowMs, 'qualinet-req-v1'),
    signer: hmac(key.secret),
  });
  return { ...digest, 'signature-input': fields.signatureInput, signature: fields.signature };
}

/** What came out of checking a request. `authentic` is true when the HMAC fits, whatever else is wrong with it. */
export type RequestVerdict =
  | { authentic: false; problem: ProblemCode; detail: string }
  | { authentic: true; key: SigningKey; nonce: string; createdAtMs: number; problem: ProblemCode | null };

/**
 * Checks a request: form, key, HMAC, digest, time; the caller then checks the key's state and the nonce, which it may
 * store only for an authentic request. `findKeys` gives every key that may bear this id (a secret that is being replaced
 * makes two), the likeliest first; none for an unknown id: a dummy key is then used. Unknown and wrong
 * take the same time and give the same answer, or it would say which runners there are.
 */
export async function verifyRequest(
  message: RequestMessage,
  findKeys: (keyid: string) => Promise<readonly SigningKey[]>,
  nowMs: number,
): Promise<RequestVerdict> {
  const input = message.headers['signature-input'];
  const signature = message.headers['signature'];
  if (input === undefined || signature === undefined) {
    return {
      authentic: false,
      problem: 'signature_missing',
      detail: 'Signature-Input and Signature are needed',
    };
  }
  const parts = requestInput.exec(input);
  const covers = parts?.[1] !== undefined;
  if (parts === null || !signatureField.test(signature) || covers !== (message.body !== null)) {
    return { authentic: false, problem: 'signature_malformed', detail: 'not of the profile qualinet-v1' };
  }
  const [, , created = '', expires = '', nonce = '', keyid = ''] = parts;
  const known = await findKeys(keyid);
  const candidates = known.length === 0 ? [{ keyid, secret: dummySecret }] : known;
  let key: SigningKey | null = null;
  for (const candidate of candidates) {
    if (await isGenuine(requestDescriptor(message, {}), candidate, Number(created))) {
      key = candidate;
      break;
    }
  }
  if (key === null || known.length === 0) {
    return {
      authentic: false,
      problem: 'signature_invalid',
      detail: `nobody has the key ${keyid}, or its signature does not fit`,
    };
  }
  return {
    authentic: true,
    key,
    nonce,
    createdAtMs: Number(created) * 1_000,
    problem: bodyProblem(message) ?? timeProblem(+created, +expires, nowMs),
  };
}

/** Headers that make `answer` a signed answer to exactly this request (which must carry its own signature). */
export function signResponse(
  answer: ResponseMessage,
  request: RequestMessage,
  key: SigningKey,
  nowMs: number,
): Record<string, string> {
  const digest = { 'content-digest': contentDigest(answer.body) };
  const fields = createSignatureSync(responseDescriptor(answer, digest, request), {
    label: 'q',
    components: responseComponents,
    parameters: parameters(key, nowMs, 'qualinet-res-v1'),
    signer: hmac(key.secret),
  });
  return { ...digest, 'signature-input': fields.signatureInput, signature: fields.signature };
}

/**
 * True when `answer` was signed with `key` as the answer to `request`, body included. Freshness comes from the request's
 * own signature, so no clock is needed.
 */
export async function verifyResponse(
  answer: ResponseMessage,
  request: RequestMessage,
  key: SigningKey,
): Promise<boolean> {
  const parts = responseInput.exec(answer.headers['signature-input'] ?? '');
  if (parts === null || parts[4] !== key.keyid) return false;
  if (!signatureField.test(answer.headers['signature'] ?? '')) return false;
  if (answer.headers['content-digest'] !== contentDigest(answer.body)) return false;
  return isGenuine(responseDescriptor(answer, {}, request), key, Number(parts[1]));
}

/** `sha-256=:…:` of exactly these bytes (RFC 9530). */
export function contentDigest(body: Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
}

const dummySecret = new Secret('AA');

async function isGenuine(
  message: RequestDescriptor | ResponseDescriptor,
  key: SigningKey,
  createdS: number,
): Promise<boolean> {
  try {
    await verifySignature(message, {
      label: 'q',
      // The patterns above fixed components and parameters. The library would judge the time as well; it is told that no
      // time has passed, because a late request must be told apart from a forged one and get an answer of its own.
      policy: {
        algorithms: ['hmac-sha256'],
        requiredComponents: [],
        requiredParameters: [],
        now: createdS,
      },
      resolveVerifier: () => hmac(key.secret),
    });
    return true;
  } catch (error) {
    if (isSignatureError(error)) return false;
    throw error;
  }
}

function hmac(secret: Secret) {
  const mac = (data: Uint8Array) =>
    createHmac('sha256', Buffer.from(secret.reveal(), 'base64url')).update(data).digest();
  return {
    algorithm: 'hmac-sha256',
    sign: (data: Uint8Array): Uint8Array => mac(data),
    verify: (data: Uint8Array, signature: Uint8Array): boolean =>
      signature.length === 32 && timingSafeEqual(mac(data), signature),
  };
}

function parameters({ keyid }: SigningKey, nowMs: number, tag: string) {
  // A machine without a clock begins in 1970: the form wants ten digits, and only what has the form is told the time.
  const created = Math.max(1_000_000_000, Math.floor(nowMs / 1_000));
  return {
    created,
    expires: created + requestLifeS,
    nonce: randomBytes(16).toString('base64url'),
    keyid,
    tag,
  };
}

function bodyProblem({ body, headers }: RequestMessage): ProblemCode | null {
  return body === null || headers['content-digest'] === contentDigest(body) ? null : 'digest_mismatch';
}

function timeProblem(createdS: number, expiresS: number, nowMs: number): ProblemCode | null {
  const nowS = nowMs / 1_000;
  if (createdS < nowS - maxAgeS || createdS > nowS + maxAheadS) return 'clock_skew';
  return expiresS < nowS || expiresS > createdS + maxAgeS ? 'signature_expired' : null;
}

function requestDescriptor(
  { method, url, headers }: RequestMessage,
  more: Record<string, string>,
): RequestDescriptor {
  return { kind: 'request', method, targetUri: url, fields: fieldsOf({ ...headers, ...more }) };
}

function responseDescriptor(
  { status, headers }: ResponseMessage,
  more: Record<string, string>,
  request: RequestMessage,
): ResponseDescriptor {
  return {
    kind: 'response',
    status,
    fields: fieldsOf({ ...headers, ...more }),
    request: requestDescriptor(request, {}),
  };
}

const signedFields = ['content-type', 'content-digest', 'signature-input', 'signature'];

function fieldsOf(headers: Readonly<Record<string, string | undefined>>): { name: string; value: string }[] {
  return signedFields.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [{ name, value }];
  });
}
