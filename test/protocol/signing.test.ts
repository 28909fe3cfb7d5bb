import { createHmac, timingSafeEqual } from 'node:crypto';
import { createSignatureSync } from 'http-message-sig';
import { createVerifier, httpbis } from 'http-message-signatures';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/lib/secret.ts';
import { deriveKey, keyidOf } from '../../src/protocol/keys.ts';
import {
  contentDigest,
  type RequestMessage,
  type SigningKey,
  signRequest,
  signResponse,
  verifyRequest,
  verifyResponse,
} from '../../src/protocol/signing.ts';

const runnerId = '7b0f8f0e-7a39-4c0e-9d4e-1a2b3c4d5e6f';
const name = { kind: 'runner', runnerId, generation: 1 } as const;
const key: SigningKey = { keyid: keyidOf(name), secret: deriveKey(new Secret('a master secret'), name) };
const nowMs = Date.parse('2026-11-24T10:00:00Z');
const find = async (keyid: string) => (keyid === key.keyid ? [key] : []);

function request(over: Partial<RequestMessage> = {}): RequestMessage {
  return {
    method: 'POST',
    url: 'https://bridge.example.com/v1/leases/poll?a=1',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from('{"slots":1}'),
    ...over,
  };
}

function signed(message = request(), atMs = nowMs): RequestMessage {
  return { ...message, headers: { ...message.headers, ...signRequest(message, key, atMs) } };
}

describe('a signed request', () => {
  it('verifies, with and without a body', async () => {
    expect(await verifyRequest(signed(), find, nowMs)).toMatchObject({ authentic: true, problem: null, key });
    const bare = signed(request({ method: 'GET', body: null, headers: {} }));
    expect(await verifyRequest(bare, find, nowMs)).toMatchObject({ authentic: true, problem: null });
  });

  it.each<[string, (message: RequestMessage) => RequestMessage, string]>([
    ['another method', (m) => ({ ...m, method: 'PUT' }), 'signature_invalid'],
    ['another path', (m) => ({ ...m, url: m.url.replace('poll', 'pull') }), 'signature_invalid'],
    ['another query', (m) => ({ ...m, url: m.url.replace('a=1', 'a=2') }), 'signature_invalid'],
    ['another host', (m) => ({ ...m, url: m.url.replace('bridge', 'evil') }), 'signature_invalid'],
    ['another content type', (m) => withHeader(m, 'content-type', 'text/plain'), 'signature_invalid'],
    [
      'another body with its own digest',
      (m) => ({
        ...withHeader(m, 'content-digest', contentDigest(Buffer.from('{}'))),
        body: Buffer.from('{}'),
      }),
      'signature_invalid',
    ],
    ['its body dropped', (m) => ({ ...m, body: null }), 'signature_malformed'],
    ['no signature', (m) => withHeader(m, 'signature', undefined), 'signature_missing'],
    [
      'a second label',
      (m) => withHeader(m, 'signature-input', `${m.headers['signature-input']}, x=("@method")`),
      'signature_malformed',
    ],
    [
      'fewer components',
      (m) => withHeader(m, 'signature-input', m.headers['signature-input']?.replace(' "@query"', '')),
      'signature_malformed',
    ],
    [
      'a response tag',
      (m) => withHeader(m, 'signature-input', m.headers['signature-input']?.replace('req-v1', 'res-v1')),
      'signature_malformed',
    ],
    [
      'an unknown key',
      (m) => withHeader(m, 'signature-input', m.headers['signature-input']?.replace('.1"', '.2"')),
      'signature_invalid',
    ],
    [
      'another nonce',
      (m) =>
        withHeader(
          m,
          'signature-input',
          m.headers['signature-input']?.replace(/nonce="[^"]{3}/, 'nonce="abc'),
        ),
      'signature_invalid',
    ],
  ])('is refused with %s', async (_, alter, problem) => {
    expect(await verifyRequest(alter(signed()), find, nowMs)).toMatchObject({ authentic: false, problem });
  });

  it('is authentic but refused when the body does not fit its digest', async () => {
    const verdict = await verifyRequest({ ...signed(), body: Buffer.from('{"slots":9}') }, find, nowMs);
    expect(verdict).toMatchObject({ authentic: true, problem: 'digest_mismatch' });
  });

  it.each([
    [59_000, null],
    [62_000, 'signature_expired'],
    [-59_000, null],
    [-62_000, 'clock_skew'],
    [301_000, 'clock_skew'],
    [7_200_000, 'clock_skew'],
  ])('that is %i ms old is answered with %s', async (ageMs, problem) => {
    expect(await verifyRequest(signed(), find, nowMs + ageMs)).toMatchObject({ authentic: true, problem });
  });

  it('verifies with a second RFC 9421 library', async () => {
    const message = signed();
    const verified = await httpbis.verifyMessage(
      {
        keyLookup: async () => ({
          id: key.keyid,
          algs: ['hmac-sha256'],
          verify: createVerifier(Buffer.from(key.secret.reveal(), 'base64url'), 'hmac-sha256'),
        }),
        notAfter: new Date(nowMs + 1_000),
        tolerance: Number.MAX_SAFE_INTEGER,
      },
      { method: message.method, url: message.url, headers: headersOf(message) },
    );
    expect(verified).toBe(true);
  });
});

describe('a signed answer', () => {
  const answer = {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from('{"leases":[]}'),
  };
  const sign = (asked: RequestMessage) => ({
    ...answer,
    headers: { ...answer.headers, ...signResponse(answer, asked, key, nowMs) },
  });

  it('verifies against the request it answers and no other', async () => {
    const asked = signed();
    expect(await verifyResponse(sign(asked), asked, key)).toBe(true);
    expect(await verifyResponse(sign(asked), signed(), key)).toBe(false);
  });

  it.each<[string, (a: ReturnType<typeof sign>) => ReturnType<typeof sign>]>([
    ['another status', (a) => ({ ...a, status: 500 })],
    ['another body', (a) => ({ ...a, body: Buffer.from('{"leases":[1]}') })],
    ['no signature', (a) => ({ ...a, headers: { ...a.headers, signature: '' } })],
  ])('is refused with %s', async (_, alter) => {
    const asked = signed();
    expect(await verifyResponse(alter(sign(asked)), asked, key)).toBe(false);
  });

  it('is refused when another key signed it', async () => {
    const asked = signed();
    const other = { keyid: key.keyid, secret: deriveKey(new Secret('another secret'), name) };
    expect(await verifyResponse(sign(asked), asked, other)).toBe(false);
  });
});

describe('the library behind the profile', () => {
  // RFC 9421, appendix B.2.5: hmac-sha256 over @date, @authority and content-type of its test request.
  it('gives the signature of RFC 9421 B.2.5', () => {
    const sharedSecret = Buffer.from(
      'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==',
      'base64',
    );
    const mac = (data: Uint8Array) => createHmac('sha256', sharedSecret).update(data).digest();
    const { signature } = createSignatureSync(
      {
        kind: 'request',
        method: 'POST',
        targetUri: 'https://example.com/foo?param=Value&Pet=dog',
        fields: [
          { name: 'date', value: 'Tue, 20 Apr 2021 02:07:55 GMT' },
          { name: 'content-type', value: 'application/json' },
        ],
      },
      {
        label: 'sig-b25',
        components: ['date', '@authority', 'content-type'],
        parameters: { created: 1618884473, keyid: 'test-shared-secret' },
        signer: { algorithm: 'hmac-sha256', sign: mac },
      },
    );
    const expected = Buffer.from('pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=', 'base64');
    expect(timingSafeEqual(Buffer.from(signature.replace(/^sig-b25=:|:$/g, ''), 'base64'), expected)).toBe(
      true,
    );
  });

  it('agrees with the digest RFC 9530 publishes', () => {
    expect(contentDigest(Buffer.from('{"hello": "world"}\n'))).toBe(
      'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:',
    );
  });
});

function withHeader(message: RequestMessage, header: string, value: string | undefined): RequestMessage {
  return { ...message, headers: { ...message.headers, [header]: value } };
}

function headersOf({ headers }: RequestMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])));
}
