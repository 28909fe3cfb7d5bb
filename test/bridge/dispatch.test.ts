import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lease } from '../../src/protocol/messages.ts';
import { type BridgeFixture, bridgeFixture } from '../support/bridge-fixture.ts';
import {
  operatorRequest,
  pairRunner,
  post,
  type SignedClient,
  testCapabilities,
} from '../support/signed-client.ts';
import { until } from '../support/until.ts';

const flow = {
  nodes: [
    { id: 's', type: 'start' },
    { id: 'a', type: 'navigate', data: { url: 'https://example.test/' } },
  ],
  edges: [{ source: 's', target: 'a' }],
};
const passed = { status: 'passed' as const, durationMs: 1, stepsResult: [] };

describe('polling for leases', () => {
  let fixture: BridgeFixture;
  beforeAll(async () => {
    fixture = await bridgeFixture({ timing: { offerMs: 1_500, sweepMs: 50, drainingPollMs: 100 } });
  });
  afterAll(() => fixture?.end());

  const operator = (method: string, path: string, body?: unknown) =>
    operatorRequest(fixture.bridge, method, path, body);
  const submit = async (workspace: string, more: object = {}): Promise<string> => {
    const { body } = await post(
      fixture.bridge.url,
      '/v1/runs',
      { ...flow, workspace, ...more },
      fixture.bridge.adminToken,
    );
    return String(body['runId']);
  };
  const runner = (workspace: string, labels: string[] = []) =>
    pairRunner(fixture.bridge.url, fixture.bridge.adminToken, { workspace, labels });
  const poll = async (client: SignedClient, waitMs: number, slots = 1): Promise<Lease[]> =>
    (await client.call('pollLeases', { body: { slots, waitMs, capabilities: testCapabilities } })).leases;
  const finish = async (client: SignedClient, { leaseId, fence }: Lease): Promise<void> => {
    await client.call('heartbeat', { params: { leaseId }, body: { fence, nodeId: null } });
    await client.call('postResult', { params: { leaseId }, body: { fence, result: passed } });
  };
  const stateOf = async (runId: string): Promise<unknown> =>
    (await operator('GET', `/v1/runs/${runId}`)).body['status'];

  it('answers at once when runs wait, with up to as many as there are slots', async () => {
    const { client } = await runner('slots');
    const runs = [await submit('slots'), await submit('slots'), await submit('slots')];
    const leases = await poll(client, 20_000, 2);
    expect(leases.map(({ runId }) => runId)).toEqual(runs.slice(0, 2));
    for (const lease of [...leases, ...(await poll(client, 20_000, 2))]) await finish(client, lease);
  });

  it('answers as soon as a run is queued', async () => {
    const { client } = await runner('wake');
    const polling = poll(client, 20_000);
    const runId = await submit('wake');
    const [lease] = await polling;
    expect(lease?.runId).toBe(runId);
    if (lease !== undefined) await finish(client, lease);
    expect(await stateOf(runId)).toBe('passed');
  });

  it('answers empty after the time it was told to wait', async () => {
    const { client } = await runner('wait');
    const startedAtMs = performance.now();
    expect(await poll(client, 150)).toEqual([]);
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(145);
  });

  it('gives one run to one of many who wait, and the others go on waiting', async () => {
    const runners = await Promise.all([1, 2, 3].map(() => runner('race')));
    const polls = runners.map(async ({ client }) => {
      const leases = await poll(client, 1_500);
      for (const lease of leases) await finish(client, lease);
      return leases.length;
    });
    await submit('race');
    expect((await Promise.all(polls)).sort()).toEqual([0, 0, 1]);
  });

  it('gives many runs to many who wait, each to one', async () => {
    const runners = await Promise.all([1, 2, 3].map(() => runner('many')));
    const polls = runners.map(async ({ client }) => {
      const leases = await poll(client, 10_000);
      for (const lease of leases) await finish(client, lease);
      return leases;
    });
    const runs = await Promise.all([1, 2, 3].map(() => submit('many')));
    const taken = (await Promise.all(polls)).flat().map(({ runId }) => runId);
    expect(taken.sort()).toEqual(runs.sort());
  });

  it('wakes only those who have the labels of the run', async () => {
    const plain = (await runner('labels')).client;
    const labelled = (await runner('labels', ['gpu'])).client;
    const waiting = poll(plain, 1_000);
    const [, leases] = await Promise.all([submit('labels', { labels: ['gpu'] }), poll(labelled, 10_000)]);
    expect(leases).toHaveLength(1);
    expect(await waiting).toEqual([]);
  });

  it('never leaves a run with a poller that has gone', async () => {
    const { client } = await runner('gone');
    const gone = new AbortController();
    const cut = client
      .send('pollLeases', {
        body: { slots: 1, waitMs: 20_000, capabilities: testCapabilities },
        signal: gone.signal,
      })
      .catch((error: unknown) => error);
    await until('the runner was seen', async () => {
      const { body } = await operator('GET', '/v1/runners');
      return JSON.stringify(body).includes(String((await client.call('runnerSelf')).runnerId));
    });
    gone.abort();
    await cut;
    const runId = await submit('gone');
    const other = (await runner('gone')).client;
    const [lease] = await poll(other, 10_000);
    expect(lease?.runId).toBe(runId);
  });

  it('gives an offer nobody acknowledged to the next one who waits', async () => {
    const { client } = await runner('missed');
    const runId = await submit('missed');
    const [first] = await poll(client, 10_000);
    const second = await poll(client, 10_000);
    expect([first?.fence, second[0]?.fence]).toEqual([1, 2]);
    expect(second).toMatchObject([{ runId, attempt: 1 }]);
    const late = await client.send('heartbeat', {
      params: { leaseId: first?.leaseId ?? '' },
      body: { fence: 1, nodeId: null },
    });
    expect(late).toMatchObject({ status: 409, isSigned: true, body: { code: 'lease_lost' } });
  });

  it('answers the older of two polls of one runner empty when the newer one comes', async () => {
    const { client } = await runner('newer');
    const older = poll(client, 20_000);
    await until('the older poll waits or was answered', async () => {
      const newer = await poll(client, 0);
      return newer.length === 0;
    });
    expect(await older).toEqual([]);
  });

  it('tells a draining runner so and gives it nothing; the run goes to another one', async () => {
    const draining = await runner('drain');
    const waiting = draining.client.call('pollLeases', {
      body: { slots: 1, waitMs: 20_000, capabilities: testCapabilities },
    });
    await draining.client.call('runnerSelf');
    await operator('POST', `/v1/runners/${draining.runnerId}/drain`, { drain: true });
    expect((await waiting).leases).toEqual([]);
    const runId = await submit('drain');
    const answer = await draining.client.call('pollLeases', {
      body: { slots: 1, waitMs: 20_000, capabilities: testCapabilities },
    });
    expect(answer).toEqual({ leases: [], orders: ['drain'] });
    expect(await poll((await runner('drain')).client, 5_000)).toMatchObject([{ runId }]);
  });

  it('treats a lease of another runner, another workspace and one that does not exist alike', async () => {
    const owner = (await runner('mine')).client;
    await submit('mine');
    const [lease] = await poll(owner, 5_000);
    await owner.call('heartbeat', {
      params: { leaseId: lease?.leaseId ?? '' },
      body: { fence: 1, nodeId: null },
    });
    const stranger = (await runner('theirs')).client;
    const answers = await Promise.all(
      [lease?.leaseId ?? '', '00000000-0000-4000-8000-000000000000'].flatMap((leaseId) => [
        stranger.send('heartbeat', { params: { leaseId }, body: { fence: 1, nodeId: null } }),
        stranger.send('releaseLease', { params: { leaseId }, body: { fence: 1, reason: 'shutdown' } }),
        stranger.send('postResult', { params: { leaseId }, body: { fence: 1, result: passed } }),
        stranger.send('postEvents', {
          params: { leaseId },
          body: {
            fence: 1,
            events: [{ seq: 1, at: '2026-11-24T10:00:00Z', event: { type: 'step_start', nodeId: 'a' } }],
          },
        }),
        stranger.send('requestUpload', {
          params: { leaseId },
          body: { fence: 1, nodeId: 'a', contentType: 'image/png', bytes: 1, sha256: '0'.repeat(64) },
        }),
      ]),
    );
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 409, isSigned: true });
      expect(answer.body).toEqual(answers[0]?.body);
    }
    if (lease !== undefined) await finish(owner, lease);
  });
});

describe('a bridge that stops', () => {
  it('answers every poll, ends every stream and keeps what waits for the next start', async () => {
    const fixture = await bridgeFixture();
    const { url, adminToken } = fixture.bridge;
    const { client } = await pairRunner(url, adminToken, { workspace: 'stopping' });
    const polling = client.call('pollLeases', {
      body: { slots: 1, waitMs: 20_000, capabilities: testCapabilities },
    });
    const { body } = await post(url, '/v1/runs', flow, adminToken);
    const events = await fetch(`${url}/v1/runs/${String(body['runId'])}/events`, {
      headers: { authorization: `Bearer ${adminToken.reveal()}` },
    });
    const startedAtMs = performance.now();
    const ended = fixture.end();
    expect((await polling).leases).toEqual([]);
    expect(await events.text()).toBe(': open\n\n');
    await ended;
    expect(performance.now() - startedAtMs).toBeLessThan(4_000);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  });
});
