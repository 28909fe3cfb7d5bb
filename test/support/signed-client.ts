import type { Secret } from '../../src/lib/secret.ts';
import { deriveKey, type KeyName, keyidOf, newExchangeKeys, unwrapKey } from '../../src/protocol/keys.ts';
import { protocolVersion } from '../../src/protocol/limits.ts';
import type { Host } from '../../src/protocol/messages.ts';
import { type ResponseOf, type RouteName, routePath, routes } from '../../src/protocol/routes.ts';
import {
  type RequestMessage,
  type SigningKey,
  signRequest,
  verifyResponse,
} from '../../src/protocol/signing.ts';

/** An answer as tests look at it. */
export interface Answered {
  status: number;
  /** Parsed body. */
  body: Record<string, unknown>;
  headers: Headers;
  /** True when the answer carries a signature for exactly this request. */
  isSigned: boolean;
}

/** What a test may do to a request before it is sent. */
interface Tampering {
  nowMs?: number;
  signal?: AbortSignal;
  alter?: (message: RequestMessage) => RequestMessage;
}

/** Sends requests signed with one key. */
export interface SignedClient {
  readonly key: SigningKey;
  readonly url: string;
  /** Sends and gives whatever comes back. */
  send(
    name: RouteName,
    input?: { params?: Record<string, string>; body?: unknown } & Tampering,
  ): Promise<Answered>;
  /** Sends and gives the body of the 200 answer; throws for everything else and for an unsigned answer. */
  call<Name extends RouteName>(
    name: Name,
    input?: { params?: Record<string, string>; body?: unknown },
  ): Promise<ResponseOf<Name>>;
}

export function signedClient(url: string, key: SigningKey, { nowMs = Date.now } = {}): SignedClient {
  const send: SignedClient['send'] = async (name, { params, body, nowMs: atMs, alter, signal } = {}) => {
    const path = routePath(name, params);
    const plain: RequestMessage = {
      method: routes[name].method,
      url: url + path,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? null : Buffer.from(JSON.stringify(body)),
    };
    const signed = { ...plain, headers: { ...plain.headers, ...signRequest(plain, key, atMs ?? nowMs()) } };
    return exchange(alter === undefined ? signed : alter(signed), key, signal);
  };
  return {
    key,
    url,
    send,
    async call(name, input) {
      const answer = await send(name, input);
      if (answer.status !== 200) throw new Error(`${name}: ${answer.status} ${JSON.stringify(answer.body)}`);
      if (!answer.isSigned) throw new Error(`${name}: the answer is not signed`);
      return answer.body as unknown as ResponseOf<typeof name>;
    },
  };
}

/** Sends one message as it is. */
export async function exchange(
  message: RequestMessage,
  key: SigningKey,
  signal?: AbortSignal,
): Promise<Answered> {
  const headers = Object.entries(message.headers).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const response = await fetch(message.url, {
    method: message.method,
    headers,
    ...(message.body === null ? {} : { body: Buffer.from(message.body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const answer = { status: response.status, headers: Object.fromEntries(response.headers), body: bytes };
  return {
    status: response.status,
    headers: response.headers,
    body: bytes.length === 0 ? {} : (JSON.parse(bytes.toString()) as Record<string, unknown>),
    isSigned: await verifyResponse(answer, message, key),
  };
}

/** A client with the key `name` names under `secret`. */
export function clientFor(
  url: string,
  secret: Secret,
  name: KeyName,
  options: { nowMs?: () => number } = {},
): SignedClient {
  return signedClient(url, { keyid: keyidOf(name), secret: deriveKey(secret, name) }, options);
}

/** A host as runners describe themselves. */
export const testHost: Host = {
  hostname: 'test-host',
  platform: 'linux',
  arch: 'x64',
  osRelease: '6.1.0',
  nodeVersion: '20.20.0',
  qualinetVersion: '1.1.0',
};

export const testCapabilities = {
  protocol: protocolVersion,
  qualinetVersion: '1.1.0',
  platform: 'linux',
  arch: 'x64',
  nodeVersion: '20.20.0',
  concurrency: 1,
  browser: { kind: 'headless-shell' },
};

/** Sends an unsigned JSON request with the operator's token, or with none. */
export async function post(url: string, path: string, body: unknown, token?: Secret): Promise<Answered> {
  return request(url, 'POST', path, JSON.stringify(body), token);
}

/** A request of an operator of this bridge; the body as a value. */
export function operatorRequest(
  { url, adminToken }: { url: string; adminToken: Secret },
  method: string,
  path: string,
  body?: unknown,
): Promise<Answered> {
  return request(url, method, path, body === undefined ? undefined : JSON.stringify(body), adminToken);
}

export async function request(
  url: string,
  method: string,
  path: string,
  body?: string,
  token?: Secret,
): Promise<Answered> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }),
    },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? (JSON.parse(text) as Record<string, unknown>) : { text },
    isSigned: false,
  };
}

/** Pairs a runner through the wire: code, redeem, claim. */
export async function pairRunner(
  url: string,
  adminToken: Secret,
  { workspace = 'default', labels = [] as string[], nowMs = Date.now } = {},
): Promise<{ runnerId: string; client: SignedClient }> {
  const { body: code } = await post(url, '/v1/codes', { workspace, labels, autoApprove: true }, adminToken);
  const exchangeKeys = newExchangeKeys();
  const redeemed = await post(url, '/v1/pairings', {
    code: code['code'],
    publicKey: exchangeKeys.publicKey,
    host: testHost,
  });
  if (redeemed.status !== 200) throw new Error(`redeem: ${JSON.stringify(redeemed.body)}`);
  const { runnerId, claimToken } = redeemed.body as ResponseOf<'redeemCode'>;
  const claimed = (await post(url, '/v1/pairings/claim', { runnerId, claimToken }))
    .body as ResponseOf<'claimCredentials'>;
  if (claimed.state !== 'approved') throw new Error('the runner was not approved');
  const secret = unwrapKey(claimed.wrappedKey, exchangeKeys.privateKey, claimed.keyid);
  return { runnerId, client: signedClient(url, { keyid: claimed.keyid, secret }, { nowMs }) };
}
