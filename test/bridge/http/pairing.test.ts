import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Secret } from '../../../src/lib/secret.ts';
import { checkWord, type ExchangeKeys, newExchangeKeys, unwrapKey } from '../../../src/protocol/keys.ts';
import { type ResponseOf, routes } from '../../../src/protocol/routes.ts';
import { type BridgeFixture, bridgeFixture } from '../../support/bridge-fixture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import {
  type Answered,
  clientFor,
  post,
  request,
  signedClient,
  testHost,
} from '../../support/signed-client.ts';

const managedSecret = new Secret('a managed pairing secret of the test');
const workerSecret = new Secret('the worker secret of the test');

const clock = new ManualClock();
let fixture: BridgeFixture;
let workspace: string;

beforeAll(async () => {
  fixture = await bridgeFixture({
    clock,
    timing: { sweepMs: Number.MAX_SAFE_INTEGER },
    env: {
      WORKER_SECRET: workerSecret.reveal(),
      QUALINET_ALLOW_MANAGED_PAIR: 'true',
      QUALINET_MANAGED_PAIR_SECRET: managedSecret.reveal(),
    },
  });
});
afterAll(() => fixture?.end());
beforeEach(async () => {
  workspace = `w${randomUUID()}`;
  // Wrong guesses of the test before are forgotten.
  await clock.advance(600_001);
});

const nowMs = (): number => clock.nowMs();

async function newCode(more: object = {}): Promise<ResponseOf<'createCode'>> {
  const { url, adminToken } = fixture.bridge;
  return (await post(url, '/v1/codes', { workspace, ...more }, adminToken)).body as ResponseOf<'createCode'>;
}

function redeem(code: string, keys = newExchangeKeys(), more: object = {}): Promise<Answered> {
  const body = { code, publicKey: keys.publicKey, host: testHost, ...more };
  return post(fixture.bridge.url, '/v1/pairings', body);
}

async function redeemed(
  more: object = {},
): Promise<{ keys: ExchangeKeys; pairing: ResponseOf<'redeemCode'> }> {
  const keys = newExchangeKeys();
  const answer = await redeem((await newCode(more)).code, keys);
  expect(answer.status).toBe(200);
  return { keys, pairing: answer.body as ResponseOf<'redeemCode'> };
}

const claim = ({ runnerId, claimToken }: ResponseOf<'redeemCode'>): Promise<Answered> =>
  post(fixture.bridge.url, '/v1/pairings/claim', { runnerId, claimToken });

const decide = (runnerId: string, approve: boolean): Promise<Answered> =>
  post(fixture.bridge.url, `/v1/runners/${runnerId}/decision`, { approve }, fixture.bridge.adminToken);

function clientWith(claimed: Answered, keys: ExchangeKeys) {
  const { keyid, wrappedKey } = claimed.body as Extract<
    ResponseOf<'claimCredentials'>,
    { state: 'approved' }
  >;
  const secret = unwrapKey(wrappedKey, keys.privateKey, keyid);
  return signedClient(fixture.bridge.url, { keyid, secret }, { nowMs });
}

describe('a pairing code', () => {
  it('of a runner with the longest host name and all labels it may bring leaves a list that can be read', async () => {
    const labels = (prefix: string) => Array.from({ length: 32 }, (_, index) => `${prefix}${index}`);
    const { code } = await newCode({ labels: labels('of-the-code') });
    const host = { ...testHost, hostname: 'h'.repeat(255) };
    expect((await redeem(code, newExchangeKeys(), { host, labels: labels('own') })).status).toBe(200);
    const { url, adminToken } = fixture.bridge;
    const listed = await request(url, 'GET', '/v1/runners', undefined, adminToken);
    const { runners } = routes.listRunners.response.parse(listed.body);
    expect(runners.find(({ name }) => name === 'h'.repeat(200))?.labels).toHaveLength(64);
  });

  it('says what the operator has to type on the other machine', async () => {
    const code = await newCode();
    expect(code).toMatchObject({
      code: expect.stringMatching(/^\d{6}$/),
      workspace,
      autoApprove: true,
      managed: false,
      apiBaseUrl: fixture.bridge.url,
      expiresAt: new Date(nowMs() + 300_000).toISOString(),
    });
  });

  it('that is wrong, used or expired is refused with the same answer', async () => {
    const used = (await newCode()).code;
    await redeem(used);
    const expired = (await newCode()).code;
    const wrong = [used, expired].includes('123456') ? '654321' : '123456';
    await clock.advance(300_000);
    const answers = await Promise.all([redeem(wrong), redeem(used), redeem(expired)]);
    for (const answer of answers) {
      expect(answer.status).toBe(403);
      expect(answer.body).toEqual(answers[0]?.body);
    }
    expect(answers[0]?.body['code']).toBe('pairing_code_refused');
  });

  it('that is no code at all is refused by its shape', async () => {
    expect(await redeem('12345')).toMatchObject({ status: 400, body: { errors: [{ path: 'code' }] } });
    const smallOrder = { publicKey: 'A'.repeat(43), privateKey: newExchangeKeys().privateKey };
    expect(await redeem((await newCode()).code, smallOrder)).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'publicKey', message: 'is no usable X25519 public key' }] },
    });
  });

  it('cannot be guessed at will: after five wrong ones even a right one is refused for a while', async () => {
    const { code } = await newCode({ ttlMs: 300_000 });
    const wrong = code === '000000' ? '000001' : '000000';
    for (let guess = 0; guess < 5; guess += 1) expect((await redeem(wrong)).status).toBe(403);
    const limited = await redeem(code);
    expect(limited).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
    expect(Number(limited.headers.get('retry-after'))).toBe(600);
    await clock.advance(600_001);
    expect((await redeem((await newCode()).code)).status).toBe(200);
  });

  it('is one of three in its workspace; the fourth is refused with the time to wait', async () => {
    const { url, adminToken } = fixture.bridge;
    for (let made = 0; made < 3; made += 1) await newCode();
    const refused = await post(url, '/v1/codes', { workspace }, adminToken);
    expect(refused).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
    expect(refused.headers.get('retry-after')).toBe('300');
    expect((await post(url, '/v1/codes', { workspace: 'other' }, adminToken)).status).toBe(200);
  });
});

describe('wrong guesses', () => {
  const proxied = { QUALINET_TRUSTED_PROXIES: '127.0.0.1' };
  const open = async () => {
    const other = await bridgeFixture({ clock, timing: { sweepMs: Number.MAX_SAFE_INTEGER }, env: proxied });
    onTestFinished(other.end);
    const { bridge } = other;
    const make = async (): Promise<string> =>
      String((await post(bridge.url, '/v1/codes', { workspace }, bridge.adminToken)).body['code']);
    const codes = [await make(), await make(), await make()];
    /** Tries a code as a peer with this address, as a proxy tells it. */
    const guess = async (code: string, address: string): Promise<number> => {
      const { publicKey } = newExchangeKeys();
      const response = await fetch(`${bridge.url}/v1/pairings`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': address },
        body: JSON.stringify({ code, publicKey, host: testHost }),
      });
      await response.arrayBuffer();
      return response.status;
    };
    const wrong = ['111111', '222222', '333333', '444444'].find((code) => !codes.includes(code)) ?? '';
    return { codes, wrong, guess };
  };

  it('of one /64 count together, whichever of its addresses they come from; the next network is free', async () => {
    const { codes, wrong, guess } = await open();
    for (let host = 1; host <= 5; host += 1) expect(await guess(wrong, `2001:db8:1:2::${host}`)).toBe(403);
    expect(await guess(codes[0] ?? '', '2001:db8:1:2:ffff::9')).toBe(429);
    expect(await guess(codes[0] ?? '', '2001:db8:1:3::1')).toBe(200);
  });

  it('of one IPv4 address count together, written as IPv6 or not', async () => {
    const { codes, wrong, guess } = await open();
    for (let round = 0; round < 5; round += 1) {
      expect(await guess(wrong, round % 2 === 0 ? '203.0.113.7' : '::ffff:203.0.113.7')).toBe(403);
    }
    expect(await guess(codes[0] ?? '', '203.0.113.7')).toBe(429);
    expect(await guess(codes[0] ?? '', '203.0.113.8')).toBe(200);
  });

  it('from many addresses are limited all together, also when they come at once; a minute later a code works', async () => {
    const { codes, wrong, guess } = await open();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => guess(wrong, `198.51.100.${index}`)),
    );
    expect(answers.filter((status) => status === 403).length).toBeLessThanOrEqual(20);
    expect(answers.filter((status) => status === 429).length).toBeGreaterThanOrEqual(20);
    // What was refused for the limit was not counted, so twenty others of other addresses are enough, whatever came before.
    for (let more = 0; more < 20; more += 1) await guess(wrong, `198.51.101.${more}`);
    expect(await guess(codes[0] ?? '', '192.0.2.1')).toBe(429);
    await clock.advance(60_001);
    expect(await guess(codes[0] ?? '', '192.0.2.1')).toBe(200);
  });

  it('take as long for a wrong code as for a used and an expired one', async () => {
    const used = (await newCode()).code;
    await redeem(used);
    const expired = (await newCode()).code;
    await clock.advance(300_000);
    const wrong = [used, expired].includes('123456') ? '654321' : '123456';
    const times = new Map<string, number[]>([wrong, used, expired].map((code) => [code, []]));
    for (let round = 0; round < 12; round += 1) {
      for (const [code, taken] of times) {
        await clock.advance(600_001);
        const startedMs = performance.now();
        expect((await redeem(code)).status).toBe(403);
        taken.push(performance.now() - startedMs);
      }
    }
    const medians = [...times.values()].map((taken) => [...taken].sort((a, b) => a - b)[6] ?? 0);
    expect(Math.max(...medians) / Math.min(...medians), medians.join()).toBeLessThan(3);
  });
});

describe('a runner that redeemed a code', () => {
  it('has its key at once when the code approves by itself, and can use it', async () => {
    const { keys, pairing } = await redeemed({ workspace: 'acme', labels: ['eu'] });
    const claimed = await claim(pairing);
    expect(claimed.body).toMatchObject({
      state: 'approved',
      apiBaseUrl: fixture.bridge.url,
      name: 'test-host',
      workspace: 'acme',
      labels: ['eu'],
      mode: 'self-hosted',
      generation: 1,
    });
    expect(JSON.stringify(claimed.body)).not.toMatch(/redis|postgres|secret/i);
    expect(await clientWith(claimed, keys).call('runnerSelf')).toMatchObject({ runnerId: pairing.runnerId });
  });

  it('waits for the operator otherwise, who sees its host and check word', async () => {
    const { keys, pairing } = await redeemed({ autoApprove: false });
    expect((await claim(pairing)).body).toMatchObject({ state: 'pending' });
    const { url, adminToken } = fixture.bridge;
    const { runners } = (await request(url, 'GET', '/v1/runners', undefined, adminToken))
      .body as ResponseOf<'listRunners'>;
    const waiting = runners.find(({ runnerId }) => runnerId === pairing.runnerId);
    expect(waiting).toMatchObject({ state: 'pending', host: testHost, pairedAt: null });
    expect(waiting?.checkWord).toBe(checkWord(pairing.runnerId, keys.publicKey));
    expect(waiting?.checkWord).toBe(pairing.checkWord);

    expect(await decide(pairing.runnerId, true)).toMatchObject({ status: 200, body: { state: 'approved' } });
    expect(await decide(pairing.runnerId, true)).toMatchObject({ status: 200, body: { state: 'approved' } });
    const client = clientWith(await claim(pairing), keys);
    expect((await client.send('runnerSelf')).status).toBe(200);
  });

  it('is told when it is denied, and has no key', async () => {
    const { pairing } = await redeemed({ autoApprove: false });
    expect((await decide(pairing.runnerId, false)).body['state']).toBe('denied');
    expect(await claim(pairing)).toMatchObject({ status: 403, body: { code: 'pairing_denied' } });
    expect(await decide(pairing.runnerId, true)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    const name = { kind: 'runner', runnerId: pairing.runnerId, generation: 1 } as const;
    const forged = clientFor(fixture.bridge.url, workerSecret, name, { nowMs });
    expect((await forged.send('runnerSelf')).body['code']).toBe('signature_invalid');
  });

  it('is told when nobody decided in time', async () => {
    const { pairing } = await redeemed({ autoApprove: false });
    await clock.advance(15 * 60_000);
    expect(await claim(pairing)).toMatchObject({ status: 410, body: { code: 'pairing_expired' } });
    expect((await decide(pairing.runnerId, true)).status).toBe(404);
  });

  it('may fetch its key again until it was used, never afterwards', async () => {
    const { keys, pairing } = await redeemed();
    const first = await claim(pairing);
    const second = await claim(pairing);
    expect(second.body['wrappedKey']).not.toEqual(first.body['wrappedKey']);
    expect(clientWith(first, keys).key.secret.reveal()).toBe(clientWith(second, keys).key.secret.reveal());
    await clientWith(second, keys).call('runnerSelf');
    expect(await claim(pairing)).toMatchObject({ status: 410, body: { code: 'pairing_expired' } });
  });

  it('is nobody without its claim token', async () => {
    const { pairing } = await redeemed();
    const answer = await claim({ ...pairing, claimToken: 'A'.repeat(43) });
    const unknown = await claim({ ...pairing, runnerId: randomUUID() });
    expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(unknown.body).toEqual(answer.body);
  });
});

describe('managed pairing', () => {
  const managed = (secret: Secret) => clientFor(fixture.bridge.url, secret, { kind: 'managed' }, { nowMs });
  const body = (code: string) => ({ code, publicKey: newExchangeKeys().publicKey, host: testHost });

  it('takes a managed code from whoever can sign with the managed secret', async () => {
    const { code } = await newCode({ managed: true });
    const pairing = await managed(managedSecret).call('redeemManagedCode', { body: body(code) });
    expect((await claim(pairing)).body).toMatchObject({ state: 'approved', mode: 'managed' });
  });

  it('is refused to everybody else, and a managed code is no code elsewhere', async () => {
    const { code } = await newCode({ managed: true });
    const forged = await managed(new Secret('some other secret')).send('redeemManagedCode', {
      body: body(code),
    });
    expect(forged).toMatchObject({ status: 401, body: { code: 'signature_invalid' } });
    expect((await redeem(code)).body['code']).toBe('pairing_code_refused');
    const plain = (await newCode()).code;
    expect(await managed(managedSecret).send('redeemManagedCode', { body: body(plain) })).toMatchObject({
      status: 403,
      isSigned: true,
      body: { code: 'pairing_code_refused' },
    });
  });

  it('is off unless the bridge allows it', async () => {
    const other = await bridgeFixture();
    try {
      const client = clientFor(other.bridge.url, managedSecret, { kind: 'managed' });
      expect(await client.send('redeemManagedCode', { body: body('123456') })).toMatchObject({
        status: 403,
        body: { code: 'not_allowed' },
      });
    } finally {
      await other.end();
    }
  });
});

describe('enrolment', () => {
  const enrol = (runnerId: string, secret = workerSecret) =>
    clientFor(fixture.bridge.url, secret, { kind: 'enrol', runnerId }, { nowMs });
  const body = { host: testHost, name: 'container-1', labels: ['eu'] };

  it('makes a container that holds WORKER_SECRET a runner that derives its own key', async () => {
    const runnerId = randomUUID();
    const enrolled = await enrol(runnerId).call('enrol', { body });
    expect(enrolled).toMatchObject({ runnerId, name: 'container-1', workspace: 'default', generation: 1 });
    const client = clientFor(
      fixture.bridge.url,
      workerSecret,
      { kind: 'runner', runnerId, generation: 1 },
      { nowMs },
    );
    expect(await client.call('runnerSelf')).toMatchObject({ name: 'container-1', labels: ['eu'] });
  });

  it('is the same at the next start, with a new generation in the last third of the life of the key', async () => {
    const runnerId = randomUUID();
    await enrol(runnerId).call('enrol', { body });
    expect(await enrol(runnerId).call('enrol', { body: { ...body, labels: [] } })).toMatchObject({
      generation: 1,
      labels: [],
    });
    await clock.advance(61 * 86_400_000);
    expect((await enrol(runnerId).call('enrol', { body })).generation).toBe(2);
    expect((await enrol(runnerId).call('enrol', { body })).generation).toBe(2);
  });

  it('is refused without the secret, and to a runner that was revoked', async () => {
    const runnerId = randomUUID();
    const forged = await enrol(runnerId, new Secret('not the secret')).send('enrol', { body });
    expect(forged).toMatchObject({ status: 401, body: { code: 'signature_invalid' } });
    await enrol(runnerId).call('enrol', { body });
    const { url, adminToken } = fixture.bridge;
    await request(url, 'DELETE', `/v1/runners/${runnerId}`, undefined, adminToken);
    expect(await enrol(runnerId).send('enrol', { body })).toMatchObject({
      status: 401,
      isSigned: true,
      body: { code: 'credential_revoked' },
    });
  });
});

describe('rotation', () => {
  it('overlaps: the old key works until a grace after the first use of the new one', async () => {
    const { keys, pairing } = await redeemed();
    const old = clientWith(await claim(pairing), keys);
    const next = newExchangeKeys();
    const rotate = () => old.call('rotateCredentials', { body: { publicKey: next.publicKey } });
    const first = await rotate();
    expect(await rotate()).toMatchObject({ keyid: first.keyid, generation: 2 });
    expect((await old.send('runnerSelf')).status).toBe(200);

    const secret = unwrapKey(first.wrappedKey, next.privateKey, first.keyid);
    const fresh = signedClient(fixture.bridge.url, { keyid: first.keyid, secret }, { nowMs });
    expect(await fresh.call('runnerSelf')).toMatchObject({ generation: 2 });
    await clock.advance(59_000);
    expect((await old.send('runnerSelf')).status).toBe(200);
    await clock.advance(2_000);
    expect(await old.send('runnerSelf')).toMatchObject({
      status: 401,
      isSigned: true,
      body: { code: 'credential_expired' },
    });
    expect((await fresh.send('runnerSelf')).status).toBe(200);
  });
});
