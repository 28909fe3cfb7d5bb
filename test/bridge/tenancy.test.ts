import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/lib/secret.ts';
import type { Lease, RunView } from '../../src/protocol/messages.ts';
import {
  type RequestOf,
  type Route,
  type RouteName,
  type Routes,
  routePath,
  routes,
} from '../../src/protocol/routes.ts';
import { signRequest } from '../../src/protocol/signing.ts';
import { backendDatabase, backendFlowId } from '../support/backend-database.ts';
import { type BridgeFixture, bridgeFixture } from '../support/bridge-fixture.ts';
import { startRedis } from '../support/redis-server.ts';
import {
  type Answered,
  clientFor,
  pairRunner,
  post,
  request,
  type SignedClient,
  signedClient,
  testCapabilities,
  testHost,
} from '../support/signed-client.ts';

const workerSecret = new Secret('the worker secret of these bridges');
const secrets = {
  WORKER_SECRET: workerSecret.reveal(),
  QUALINET_ADMIN_TOKEN: 'operator-token-of-these-bridges',
};

/** Bridges on the same stores: what one workspace does goes to the first, what the other tries to the last. */
interface System {
  bridges: BridgeFixture[];
  end(): Promise<void>;
}

const systems: [string, () => Promise<System>][] = [
  [
    'on the embedded default',
    async () => {
      const fixture = await bridgeFixture({ env: secrets });
      return { bridges: [fixture], end: () => fixture.end() };
    },
  ],
  [
    'on servers that two bridges share',
    async () => {
      const [redis, database] = await Promise.all([startRedis(), backendDatabase()]);
      const env = { ...secrets, DATABASE_URL: database.url, REDIS_URL: redis.url };
      const bridges = [await bridgeFixture({ env }), await bridgeFixture({ env })];
      return {
        bridges,
        async end() {
          for (const bridge of bridges) await bridge.end();
          await database.drop();
          await redis.remove();
        },
      };
    },
  ],
];

/** The routes about one lease; a new one does not compile until it is tried here. */
type LeaseRoute = {
  [Name in RouteName]: Routes[Name]['path'] extends `/v1/leases/:leaseId/${string}` ? Name : never;
}[RouteName];

const picture = Buffer.from('the bytes of a picture');
const sha256 = createHash('sha256').update(picture).digest('hex');
const at = '2026-11-24T10:00:00.000Z';

const leaseBodies: { [Name in LeaseRoute]: (fence: number) => RequestOf<Name> } = {
  heartbeat: (fence) => ({ fence, nodeId: 'a' }),
  releaseLease: (fence) => ({ fence, reason: 'shutdown' }),
  postEvents: (fence) => ({ fence, events: [{ seq: 1, at, event: { type: 'step_start', nodeId: 'a' } }] }),
  requestUpload: (fence) => ({
    fence,
    nodeId: 'a',
    contentType: 'image/png',
    bytes: picture.length,
    sha256,
  }),
  postResult: (fence) => ({
    fence,
    result: { status: 'passed', durationMs: 1, stepsResult: [] },
  }),
};
const leaseRoutes = Object.keys(leaseBodies) as LeaseRoute[];

const operatorRoutes = (Object.keys(routes) as RouteName[]).filter(
  (name) => (routes[name] as Route).auth === 'operator',
);

/** What a peer can tell an answer by. The rest differs with every answer: its signature and its time. */
const seen = ({ status, body, headers, isSigned }: Answered) => ({
  status,
  body,
  isSigned,
  headers: [...headers.keys()].filter((name) => name !== 'connection' && name !== 'keep-alive'),
});

describe.each(systems)('two workspaces %s', (_, open) => {
  let system: System;
  let owner: SignedClient;
  let stranger: SignedClient;
  let ownerId: string;
  const near = () => bridgeAt(0);
  const far = () => bridgeAt(-1);

  beforeAll(async () => {
    system = await open();
    ({ client: owner, runnerId: ownerId } = await pairRunner(near().url, near().adminToken, {
      workspace: 'north',
    }));
    ({ client: stranger } = await pairRunner(far().url, far().adminToken, { workspace: 'south' }));
  });
  afterAll(() => system?.end());

  function bridgeAt(index: number) {
    const fixture = system.bridges.at(index);
    if (fixture === undefined) throw new Error('there is no such bridge');
    return fixture.bridge;
  }

  const flow = () => ({
    nodes: [
      { id: 's', type: 'start' },
      { id: 'a', type: 'navigate', data: { url: 'https://example.test/' } },
    ],
    edges: [{ source: 's', target: 'a' }],
    ...(system.bridges.length === 1 ? {} : { flowId: backendFlowId }),
  });
  async function submit(workspace: string, labels: string[] = []): Promise<string> {
    const { adminToken, url } = near();
    const { status, body } = await post(url, '/v1/runs', { ...flow(), workspace, labels }, adminToken);
    if (status !== 200) throw new Error(JSON.stringify(body));
    return String(body['runId']);
  }
  async function readRun(runId: string): Promise<RunView> {
    const { url, adminToken } = near();
    return (await request(url, 'GET', `/v1/runs/${runId}`, undefined, adminToken)).body as RunView;
  }
  async function poll(client: SignedClient, slots = 1): Promise<Lease[]> {
    const body = { slots, waitMs: 0, capabilities: testCapabilities };
    return (await client.call('pollLeases', { body })).leases;
  }
  async function take(client: SignedClient): Promise<Lease> {
    const [lease] = await poll(client);
    if (lease === undefined) throw new Error('no run was granted');
    await client.call('heartbeat', {
      params: { leaseId: lease.leaseId },
      body: { fence: lease.fence, nodeId: null },
    });
    return lease;
  }
  const call = <Name extends LeaseRoute>(client: SignedClient, name: Name, { leaseId, fence }: Lease) =>
    client.call(name, { params: { leaseId }, body: leaseBodies[name](fence) });
  const end = (client: SignedClient, { leaseId, fence }: Lease, screenshotUrl?: string) =>
    client.call('postResult', {
      params: { leaseId },
      body: {
        fence,
        result: {
          status: 'failed',
          durationMs: 1,
          stepsResult: [
            {
              nodeId: 'a',
              type: 'navigate',
              status: 'failed',
              durationMs: 1,
              error: 'no',
              ...(screenshotUrl === undefined ? {} : { screenshotUrl }),
            },
          ],
        },
      },
    });

  describe("a run of the other's, whose ids are known", () => {
    let lease: Lease;
    beforeEach(async () => {
      await submit('north');
      lease = await take(owner);
    });

    it('is not given to the stranger, while it waits and after it was handed back', async () => {
      await submit('north');
      expect(await poll(stranger, 64)).toEqual([]);
      await call(owner, 'releaseLease', lease);
      expect(await poll(stranger, 64)).toEqual([]);
      for (const mine of await poll(owner, 64)) {
        await call(owner, 'heartbeat', mine);
        await end(owner, mine);
      }
    });

    it.each(leaseRoutes)(
      '%s: is as if it were not there, whatever the fence, and nothing changes',
      async (name) => {
        const before = await readRun(lease.runId);
        for (const fence of [1, 2, lease.fence, 2_147_483_647]) {
          const [guessed, missing] = await both(name, lease.leaseId, fence);
          expect(guessed).toMatchObject({ status: 409, body: { code: 'lease_lost' }, isSigned: true });
          expect(guessed).toEqual(missing);
        }
        expect(await readRun(lease.runId)).toEqual(before);
        expect(await call(owner, 'heartbeat', lease)).toMatchObject({ orders: [] });
        // Number 1 is still to come: nothing of the stranger's was taken for it.
        expect(await call(owner, 'postEvents', lease)).toEqual({ ackedSeq: 1 });
        expect(await call(owner, 'postResult', lease)).toEqual({ status: 'passed' });
      },
    );

    it.each(leaseRoutes)('%s: is as if it were not there after its end, too', async (name) => {
      await call(owner, 'postEvents', lease);
      await call(owner, 'postResult', lease);
      const before = await readRun(lease.runId);
      const [guessed, missing] = await both(name, lease.leaseId, lease.fence);
      expect(guessed).toMatchObject({ status: 409, body: { code: 'lease_lost' } });
      expect(guessed).toEqual(missing);
      expect(await readRun(lease.runId)).toEqual(before);
    });

    it.each(leaseRoutes)('%s: is as if it were not there after it was handed back', async (name) => {
      await call(owner, 'releaseLease', lease);
      const [guessed, missing] = await both(name, lease.leaseId, lease.fence);
      expect(guessed).toEqual(missing);
      await end(owner, await take(owner));
    });

    it.each(operatorRoutes)('%s: is not shown for the signature of a runner', async (name) => {
      const send = (id: string, token?: string) =>
        stranger.send(name, {
          params: { runId: id, runnerId: id },
          ...(routes[name].method === 'POST' ? { body: {} } : {}),
          alter: (message) => ({
            ...message,
            headers: {
              ...message.headers,
              ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            },
          }),
        });
      for (const token of [undefined, stranger.key.keyid, stranger.key.secret.reveal()]) {
        const missing = seen(await send(randomUUID(), token));
        expect(missing).toMatchObject({ status: 401, body: { code: 'token_refused' }, isSigned: false });
        for (const id of [lease.runId, ownerId]) expect(seen(await send(id, token))).toEqual(missing);
      }
      await end(owner, lease);
    });

    it('takes no events that ride with a result of the stranger', async () => {
      const { fence } = lease;
      const lastEvents = leaseBodies.postEvents(fence).events;
      const body = { ...leaseBodies.postResult(fence), lastEvents };
      const send = async (leaseId: string) =>
        seen(await stranger.send('postResult', { params: { leaseId }, body }));
      const guessed = await send(lease.leaseId);
      expect(guessed).toMatchObject({ status: 409, body: { code: 'lease_lost' } });
      expect(guessed).toEqual(await send(randomUUID()));
      expect(await call(owner, 'postEvents', lease)).toEqual({ ackedSeq: 1 });
      await end(owner, lease);
    });

    it('cannot be asked for in the name of its runner', async () => {
      const impostor = signedClient(stranger.url, { ...stranger.key, keyid: owner.key.keyid });
      for (const name of leaseRoutes) {
        const answer = await impostor.send(name, {
          params: { leaseId: lease.leaseId },
          body: leaseBodies[name](lease.fence),
        });
        expect(answer).toMatchObject({ status: 401, body: { code: 'signature_invalid' }, isSigned: false });
      }
      await end(owner, lease);
    });

    it('has its pictures to itself: another address of theirs shows and takes nothing', async () => {
      const { url, headers, publicUrl } = await call(owner, 'requestUpload', lease);
      await fetch(url, { method: 'PUT', headers, body: new Uint8Array(picture) });
      const path = new URL(publicUrl).pathname;
      const onFar = far().url + path;
      expect(Buffer.from(await (await fetch(onFar)).arrayBuffer())).toEqual(picture);

      const read = async (address: string) => {
        const response = await fetch(address);
        return { status: response.status, body: await response.json() };
      };
      const missing = await read(onFar.replace(lease.runId, randomUUID()));
      expect(missing).toMatchObject({ status: 404, body: { code: 'not_found' } });
      const guesses = [
        onFar.replace(sha256, '0'.repeat(64)),
        onFar.replace(/\/[0-9a-f]{16}-/, `/${'0'.repeat(16)}-`),
        onFar.replace('.png', '.jpg'),
        onFar.slice(0, onFar.lastIndexOf('/')),
        `${far().url}/v1/blobs/runs/${lease.runId}`,
      ];
      for (const guess of guesses) expect(await read(guess)).toEqual(missing);

      await submit('south');
      const own = await take(stranger);
      const { url: ownUrl } = await call(stranger, 'requestUpload', own);
      const query = new URL(ownUrl).search;
      const write = async (address: string) => {
        const response = await fetch(address + query, {
          method: 'PUT',
          headers,
          body: new Uint8Array(picture),
        });
        return { status: response.status, body: await response.json() };
      };
      const refused = await write(onFar.replace(lease.runId, randomUUID()));
      expect(refused).toMatchObject({ status: 403, body: { code: 'not_allowed' } });
      expect(await write(onFar)).toEqual(refused);
      await end(stranger, own);
      await end(owner, lease);
    });

    it('does not lend its pictures: a result and an event that name one lose it', async () => {
      const { publicUrl } = await call(owner, 'requestUpload', lease);
      await submit('south');
      const own = await take(stranger);
      await stranger.call('postEvents', {
        params: { leaseId: own.leaseId },
        body: {
          fence: own.fence,
          events: [
            {
              seq: 1,
              at,
              event: {
                type: 'step_complete',
                nodeId: 'a',
                status: 'failed',
                durationMs: 1,
                error: 'no',
                screenshotUrl: publicUrl,
              },
            },
          ],
        },
      });
      await end(stranger, own, publicUrl);
      const { url, adminToken } = near();
      const events = await request(url, 'GET', `/v1/runs/${own.runId}/events`, undefined, adminToken);
      expect(String(events.body['text'])).toContain('step_complete');
      expect(String(events.body['text'])).not.toContain('screenshotUrl');
      expect((await readRun(own.runId)).stepsResult?.[0]).not.toHaveProperty('screenshotUrl');
      await end(owner, lease, publicUrl);
      expect((await readRun(lease.runId)).stepsResult?.[0]).toHaveProperty('screenshotUrl', publicUrl);
    });

    async function both(name: LeaseRoute, leaseId: string, fence: number) {
      const send = async (id: string) =>
        seen(await stranger.send(name, { params: { leaseId: id }, body: leaseBodies[name](fence) }));
      return [await send(leaseId), await send(randomUUID())] as const;
    }
  });

  it("tell the stranger's control stream nothing of each other", async () => {
    const own = await submit('south').then(() => take(stranger));
    const stream = await openControl(stranger);
    const runId = await submit('north');
    const lease = await take(owner);
    const { url, adminToken } = near();
    await post(url, `/v1/runs/${runId}/cancel`, {}, adminToken);
    await call(owner, 'releaseLease', lease);
    await post(url, `/v1/runs/${own.runId}/cancel`, {}, adminToken);
    expect(await stream.first()).toBe(`event: heartbeat\ndata: ${JSON.stringify({ leaseId: own.leaseId })}`);
    stream.close();
    await end(stranger, own);
  });

  it('have pairings that cannot be claimed by the id of a runner', async () => {
    const claim = async (runnerId: string) =>
      seen(
        await post(far().url, '/v1/pairings/claim', {
          runnerId,
          claimToken: Buffer.alloc(32, 1).toString('base64url'),
        }),
      );
    const missing = await claim(randomUUID());
    expect(missing).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await claim(ownerId)).toEqual(missing);
  });

  it('are not those of a container that enrolled itself: it belongs to the workspace `default`', async () => {
    const runnerId = randomUUID();
    const enrolling = clientFor(far().url, workerSecret, { kind: 'enrol', runnerId });
    const enrolled = await enrolling.call('enrol', { body: { host: testHost, labels: ['north', 'south'] } });
    expect(enrolled.workspace).toBe('default');
    const container = clientFor(far().url, workerSecret, { kind: 'runner', runnerId, generation: 1 });
    const others = [await submit('north'), await submit('south')];
    const own = await submit('default');
    const leases = await poll(container, 64);
    expect(leases.map(({ runId }) => runId)).toEqual([own]);
    await call(container, 'heartbeat', leases[0] as Lease);
    await end(container, leases[0] as Lease);
    for (const client of [owner, stranger]) {
      const lease = await take(client);
      expect(others).toContain(lease.runId);
      await end(client, lease);
    }
  });

  it('have runs with labels: each goes to a runner that has all of them, on whichever bridge', async () => {
    const workspace = 'labelled';
    const runners: [string[], SignedClient][] = [];
    for (const [index, labels] of [[], ['eu'], ['gpu'], ['gpu', 'eu', 'arm']].entries()) {
      const { url, adminToken } = bridgeAt(index % 2 === 0 ? 0 : -1);
      runners.push([labels, (await pairRunner(url, adminToken, { workspace, labels })).client]);
    }
    const wanted: [string, string[]][] = [];
    for (const labels of [['eu', 'gpu'], ['EU'], ['e'], ['gpu'], ['eu'], []]) {
      wanted.push([await submit(workspace, labels), labels]);
    }
    const given = new Map<string, string[]>();
    for (const [labels, client] of runners) {
      for (const { runId } of await poll(client, 64)) given.set(runId, labels);
    }
    expect(wanted.map(([runId, labels]) => [labels, given.get(runId)])).toEqual([
      [
        ['eu', 'gpu'],
        ['gpu', 'eu', 'arm'],
      ],
      [['EU'], undefined],
      [['e'], undefined],
      [['gpu'], ['gpu']],
      [['eu'], ['eu']],
      [[], []],
    ]);
  });
});

/** Opens the control stream of a runner; `first` gives its first message, comments left out. */
async function openControl({ url, key }: SignedClient): Promise<{ first(): Promise<string>; close(): void }> {
  const message = { method: 'GET', url: url + routePath('control'), headers: {}, body: null };
  const ended = new AbortController();
  const response = await fetch(message.url, {
    headers: signRequest(message, key, Date.now()),
    signal: ended.signal,
  });
  if (response.status !== 200 || response.body === null) throw new Error(`control: ${response.status}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  return {
    async first() {
      let text = '';
      for (;;) {
        const found = text
          .split('\n\n')
          .slice(0, -1)
          .find((part) => !part.startsWith(':'));
        if (found !== undefined) return found;
        const { done, value } = await reader.read();
        if (done) throw new Error(`the control stream ended after: ${text}`);
        text += value;
      }
    },
    close: () => ended.abort(),
  };
}
