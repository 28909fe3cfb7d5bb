import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/lib/secret.ts';
import { deriveKey, keyidOf } from '../../../src/protocol/keys.ts';
import {
  contentDigest,
  nonceMemoryMs,
  type RequestMessage,
  signRequest,
} from '../../../src/protocol/signing.ts';
import { type BridgeFixture, bridgeFixture } from '../../support/bridge-fixture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import {
  exchange,
  pairRunner,
  post,
  request,
  type SignedClient,
  signedClient,
  testCapabilities,
} from '../../support/signed-client.ts';

const poll = { slots: 1, waitMs: 0, capabilities: testCapabilities };

describe('a signed route', () => {
  const clock = new ManualClock();
  let fixture: BridgeFixture;
  let runnerId: string;
  let client: SignedClient;
  beforeAll(async () => {
    // The sweeps sleep on the clock; a test that moves it by months would wake them millions of times.
    fixture = await bridgeFixture({ clock, timing: { sweepMs: Number.MAX_SAFE_INTEGER } });
  });
  afterAll(() => fixture?.end());
  beforeEach(async () => {
    const { bridge } = fixture;
    ({ runnerId, client } = await pairRunner(bridge.url, bridge.adminToken, { nowMs: () => clock.nowMs() }));
  });

  it('answers a signed request with a signed answer', async () => {
    const answer = await client.send('runnerSelf');
    expect(answer).toMatchObject({
      status: 200,
      isSigned: true,
      body: { runnerId, generation: 1, draining: false },
    });
    expect(answer.headers.get('cache-control')).toBe('no-store, no-transform');
  });

  it.each<[string, (message: RequestMessage) => RequestMessage, string, boolean]>([
    ['without a signature', (m) => header(m, 'signature', undefined), 'signature_missing', false],
    [
      'with a body that was altered',
      (m) => ({ ...m, body: Buffer.from('{"slots":9}') }),
      'digest_mismatch',
      true,
    ],
    [
      'with an altered body and a digest that fits it',
      (m) => {
        const body = Buffer.from('{"slots":9}');
        return { ...header(m, 'content-digest', contentDigest(body)), body };
      },
      'signature_invalid',
      false,
    ],
    ['with another query', (m) => ({ ...m, url: `${m.url}?slots=9` }), 'signature_invalid', false],
    [
      'with the signature of another profile',
      (m) => header(m, 'signature-input', m.headers['signature-input']?.replace('q=', 'sig1=')),
      'signature_malformed',
      false,
    ],
    [
      'by a key nobody has',
      (m) => header(m, 'signature-input', m.headers['signature-input']?.replace('.1"', '.7"')),
      'signature_invalid',
      false,
    ],
  ])('refuses a request %s', async (_, alter, code, isSigned) => {
    const answer = await client.send('pollLeases', { body: poll, alter });
    expect(answer).toMatchObject({ status: 401, isSigned, body: { code } });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.headers.get('www-authenticate')).toBe(`QualinetHMAC error="${code}"`);
  });

  it('refuses a request that was signed for another address, and says for which it must be', async () => {
    const elsewhere = signedClient(fixture.bridge.url.replace('127.0.0.1', 'localhost'), client.key, {
      nowMs: () => clock.nowMs(),
    });
    expect(await elsewhere.send('runnerSelf')).toMatchObject({
      status: 401,
      body: { code: 'signature_invalid', detail: expect.stringContaining(fixture.bridge.url) },
    });
  });

  it('refuses a request that is replayed, for as long as it would be in time, in a signed answer', async () => {
    const message = signed(client, '/v1/runners/self', clock.nowMs());
    expect((await exchange(message, client.key)).status).toBe(200);
    expect(await exchange(message, client.key)).toMatchObject({
      status: 401,
      isSigned: true,
      body: { code: 'replayed' },
    });
  });

  it.each([
    ['is late', 90_000, 'signature_expired'],
    ['is much too late', 400_000, 'clock_skew'],
    ['comes from the future', -70_000, 'clock_skew'],
  ])('refuses a request that %s, in a signed answer', async (_, ageMs, code) => {
    const answer = await client.send('runnerSelf', { nowMs: clock.nowMs() - ageMs });
    expect(answer).toMatchObject({ status: 401, isSigned: true, body: { code } });
    expect(answer.body['serverTime']).toBe(new Date(clock.nowMs()).toISOString());
  });

  it('does not remember the nonce of a request it could not verify', async () => {
    const message = signed(client, '/v1/runners/self', clock.nowMs());
    const forged = header(message, 'signature', `q=:${'A'.repeat(43)}=:`);
    expect((await exchange(forged, client.key)).body['code']).toBe('signature_invalid');
    expect((await exchange(message, client.key)).status).toBe(200);
  });

  it('forgets nonces once they could not be replayed any more', async () => {
    const message = signed(client, '/v1/runners/self', clock.nowMs());
    await exchange(message, client.key);
    await clock.advance(nonceMemoryMs + 1);
    expect((await exchange(message, client.key)).body['code']).toBe('clock_skew');
  });

  it('tells a revoked runner so, in a signed answer, from the next request on', async () => {
    const { url, adminToken } = fixture.bridge;
    expect((await client.send('runnerSelf')).status).toBe(200);
    expect(
      (await request(url, 'DELETE', `/v1/runners/${runnerId}`, undefined, adminToken)).body['state'],
    ).toBe('revoked');
    expect(await client.send('runnerSelf')).toMatchObject({
      status: 401,
      isSigned: true,
      body: { code: 'credential_revoked' },
    });
  });

  it('tells a runner whose key is over so, in a signed answer', async () => {
    await clock.advance(91 * 86_400_000);
    expect(await client.send('runnerSelf')).toMatchObject({
      status: 401,
      isSigned: true,
      body: { code: 'credential_expired' },
    });
  });

  it('lets a runner revoke itself', async () => {
    expect(await client.call('retireSelf')).toEqual({ done: true });
    expect((await client.send('runnerSelf')).body['code']).toBe('credential_revoked');
  });

  it('signs a refusal of the content as well', async () => {
    expect(await client.send('pollLeases', { body: { slots: 0 } })).toMatchObject({
      status: 400,
      isSigned: true,
      body: { code: 'malformed_request' },
    });
  });

  it('answers a key that nobody has and a wrong signature of one that there is alike', async () => {
    const stranger = randomUUID();
    const answers = await Promise.all(
      [runnerId, stranger].map(async (id) => {
        const name = { kind: 'runner', runnerId: id, generation: 1 } as const;
        const secret = deriveKey(new Secret('not the secret of this bridge'), name);
        const forger = signedClient(
          fixture.bridge.url,
          { keyid: keyidOf(name), secret },
          { nowMs: () => clock.nowMs() },
        );
        const { status, body, isSigned } = await forger.send('runnerSelf');
        return { status, isSigned, text: JSON.stringify(body).replaceAll(id, 'ID') };
      }),
    );
    expect(answers[0]).toMatchObject({ status: 401, isSigned: false });
    expect(answers[0]).toEqual(answers[1]);
  });

  it('does not take the key of another kind', async () => {
    const name = { kind: 'enrol', runnerId } as const;
    const enrol = signedClient(
      fixture.bridge.url,
      { keyid: keyidOf(name), secret: deriveKey(new Secret('not the secret of this bridge'), name) },
      { nowMs: () => clock.nowMs() },
    );
    expect((await enrol.send('runnerSelf')).body['code']).toBe('signature_invalid');
    expect((await enrol.send('enrol', { body: {} })).body['code']).toBe('signature_invalid');
    expect((await client.send('enrol', { body: {} })).body['code']).toBe('signature_invalid');
  });
});

describe('a bridge behind a proxy', () => {
  it('verifies for PUBLIC_URL and its path, whatever Host the request carries', async () => {
    const publicUrl = 'https://bridge.example.com/base';
    const fixture = await bridgeFixture({ env: { PUBLIC_URL: publicUrl } });
    try {
      const { url, adminToken } = fixture.bridge;
      const { client } = await pairRunner(url, adminToken);
      const outside = signedClient(publicUrl, client.key);
      const proxied = (message: RequestMessage) => ({ ...message, url: message.url.replace(publicUrl, url) });
      expect((await outside.send('runnerSelf', { alter: proxied })).status).toBe(200);
      expect((await client.send('runnerSelf')).body['code']).toBe('signature_invalid');
      const code = await post(url, '/v1/codes', {}, adminToken);
      expect(code.body['apiBaseUrl']).toBe(publicUrl);
    } finally {
      await fixture.end();
    }
  });
});

describe("an operator's route", () => {
  let fixture: BridgeFixture;
  beforeAll(async () => {
    fixture = await bridgeFixture({ env: { QUALINET_ADMIN_TOKEN: 'a-token-of-the-test-0123' } });
  });
  afterAll(() => fixture?.end());

  it('takes the token and nothing else', async () => {
    const { url, adminToken } = fixture.bridge;
    expect(adminToken.reveal()).toBe('a-token-of-the-test-0123');
    expect((await request(url, 'GET', '/v1/runners', undefined, adminToken)).status).toBe(200);
    for (const token of [undefined, new Secret('a-token-of-the-test-0124'), new Secret('x')]) {
      const answer = await request(url, 'GET', '/v1/runners', undefined, token);
      expect(answer).toMatchObject({ status: 401, body: { code: 'token_refused' } });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
    expect((await post(url, '/v1/runs', {})).status).toBe(401);
  });
});

function signed(client: SignedClient, path: string, nowMs: number): RequestMessage {
  const plain: RequestMessage = { method: 'GET', url: client.url + path, headers: {}, body: null };
  return { ...plain, headers: signRequest(plain, client.key, nowMs) };
}

function header(message: RequestMessage, name: string, value: string | undefined): RequestMessage {
  return { ...message, headers: { ...message.headers, [name]: value } };
}
