import { createHash, randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startBridge } from '../../../src/bridge/bridge.ts';
import { readBridgeConfig } from '../../../src/bridge/config.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { newExchangeKeys, unwrapKey } from '../../../src/protocol/keys.ts';
import type { ResponseOf } from '../../../src/protocol/routes.ts';
import { dataFolderWithDatabase } from '../../support/bridge-fixture.ts';
import { chain } from '../../support/chain.ts';
import {
  clientFor,
  operatorRequest,
  pairRunner,
  post,
  type SignedClient,
  signedClient,
  testCapabilities,
  testHost,
} from '../../support/signed-client.ts';

// The secret behind all keys is replaced without a runner noticing: a bridge with the old one, then one with both on the
// same data, then one with the new one alone.

const before = 'the secret that was there before';
const after = 'the secret that comes afterwards';
const adminToken = 'test-operator-token-0123456789';
const poll = { slots: 1, waitMs: 0, capabilities: testCapabilities };

async function setUp() {
  const dataDir = await dataFolderWithDatabase();
  let port = '0';
  let stop = async (): Promise<void> => {};
  onTestFinished(() => stop());
  return async (WORKER_SECRET: string, WORKER_SECRET_PREVIOUS = '') => {
    await stop();
    const env = { WORKER_SECRET, WORKER_SECRET_PREVIOUS, QUALINET_ADMIN_TOKEN: adminToken };
    const config = readBridgeConfig({ PORT: port, QUALINET_DATA_DIR: dataDir, ...env });
    const bridge = await startBridge(config, { clock: systemClock, log: silentLog });
    port = new URL(bridge.url).port;
    stop = () => bridge.close();
    return bridge;
  };
}

/** Rotates and gives a client with the new key. */
async function renewed(client: SignedClient): Promise<SignedClient> {
  const exchange = newExchangeKeys();
  const issued = await client.call('rotateCredentials', { body: { publicKey: exchange.publicKey } });
  const secret = unwrapKey(issued.wrappedKey, exchange.privateKey, issued.keyid);
  return signedClient(client.url, { keyid: issued.keyid, secret });
}

const ordersOf = async (client: SignedClient) => (await client.call('pollLeases', { body: poll })).orders;

describe('replacing WORKER_SECRET', () => {
  it('keeps a paired runner: it is told to renew its key, and works with the new secret alone afterwards', async () => {
    const serve = await setUp();
    const first = await serve(before);
    const { client, runnerId } = await pairRunner(first.url, first.adminToken);
    expect(await ordersOf(client)).toEqual([]);

    const both = await serve(after, before);
    expect(await ordersOf(client)).toEqual(['rotate']);
    const listed = async () => (await operatorRequest(both, 'GET', '/v1/runners')).body['onPreviousSecret'];
    expect(await listed()).toEqual([runnerId]);
    const next = await renewed(client);
    // Fetched and not used yet: the runner may still have only the old one.
    expect(await listed()).toEqual([runnerId]);
    expect(await ordersOf(next)).toEqual([]);
    expect(await listed()).toEqual([]);
    const { text } = (await operatorRequest(both, 'GET', '/metrics')).body;
    expect(text).toContain('qualinet_runners_on_previous_secret 0');

    await serve(after);
    expect(await ordersOf(next)).toEqual([]);
    expect((await client.send('runnerSelf')).body).toMatchObject({ code: 'signature_invalid' });
  });

  it('orders it with a heartbeat too', async () => {
    const serve = await setUp();
    const first = await serve(before);
    const { client } = await pairRunner(first.url, first.adminToken);
    await operatorRequest(first, 'POST', '/v1/runs', chain({ id: 'a', type: 'wait', data: { ms: 1 } }));
    const { leases } = await client.call('pollLeases', { body: poll });
    await serve(after, before);
    const [lease] = leases;
    const params = { leaseId: lease?.leaseId ?? '' };
    expect(
      await client.call('heartbeat', { params, body: { fence: lease?.fence, nodeId: null } }),
    ).toMatchObject({
      orders: ['rotate'],
    });
  });

  it('leaves what was begun under the old one good: a code, a pairing, an upload', async () => {
    const serve = await setUp();
    const first = await serve(before);
    const { client } = await pairRunner(first.url, first.adminToken);
    await operatorRequest(first, 'POST', '/v1/runs', chain({ id: 'a', type: 'wait', data: { ms: 1 } }));
    const { leases } = await client.call('pollLeases', { body: poll });
    const params = { leaseId: leases[0]?.leaseId ?? '' };
    const fence = leases[0]?.fence;
    await client.call('heartbeat', { params, body: { fence, nodeId: null } });
    const picture = Buffer.from('89504e470d0a1a0a', 'hex');
    const put = await client.call('requestUpload', {
      params,
      body: {
        fence,
        nodeId: 'a',
        contentType: 'image/png',
        bytes: picture.length,
        sha256: createHash('sha256').update(picture).digest('hex'),
      },
    });
    const { body: code } = await post(first.url, '/v1/codes', { autoApprove: true }, first.adminToken);

    const both = await serve(after, before);
    const stored = await fetch(put.url, {
      method: put.method,
      headers: put.headers,
      body: new Uint8Array(picture),
    });
    expect(stored.status).toBe(200);
    const exchange = newExchangeKeys();
    const redeem = { code: code['code'], publicKey: exchange.publicKey, host: testHost };
    const redeemed = await post(both.url, '/v1/pairings', redeem);
    expect(redeemed.status).toBe(200);
    const { runnerId, claimToken } = redeemed.body;
    const claimed = (await post(both.url, '/v1/pairings/claim', { runnerId, claimToken }))
      .body as ResponseOf<'claimCredentials'>;
    if (claimed.state !== 'approved') throw new Error('not approved');
    const secret = unwrapKey(claimed.wrappedKey, exchange.privateKey, claimed.keyid);
    // Its key was made with the new secret, so that there is nothing to renew.
    expect(await ordersOf(signedClient(both.url, { keyid: claimed.keyid, secret }))).toEqual([]);
  });

  it('lets containers enrol with either, and counts one that starts with the old one again', async () => {
    const serve = await setUp();
    const both = await serve(after, before);
    const runnerId = randomUUID();
    const enrol = (secret: string) =>
      clientFor(both.url, new Secret(secret), { kind: 'enrol', runnerId }).call('enrol', {
        body: { host: testHost },
      });
    const working = (secret: string, generation: number) =>
      clientFor(both.url, new Secret(secret), { kind: 'runner', runnerId, generation });
    const listed = async () => (await operatorRequest(both, 'GET', '/v1/runners')).body['onPreviousSecret'];

    const { generation } = await enrol(before);
    expect(await ordersOf(working(before, generation))).toEqual(['rotate']);
    expect(await ordersOf(await renewed(working(before, generation)))).toEqual([]);
    expect(await listed()).toEqual([]);
    // The variable of the container is still the old one: after a restart it derives the same generation from it.
    const again = await enrol(before);
    expect(again.generation).toBe(generation + 1);
    expect(await ordersOf(working(before, again.generation))).toEqual(['rotate']);
    expect(await listed()).toEqual([runnerId]);
    await enrol(after);
    expect(await ordersOf(working(after, again.generation))).toEqual([]);
    expect(await listed()).toEqual([]);
  });

  it('can be prepared on several bridges: one that still makes old keys takes new ones', async () => {
    const serve = await setUp();
    const swapped = await serve(after, before);
    const { client } = await pairRunner(swapped.url, swapped.adminToken);
    await serve(before, after);
    const answer = await client.send('runnerSelf');
    expect(answer).toMatchObject({ status: 200, isSigned: true });
  });
});
