import { EventSource } from 'eventsource';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lease } from '../../../src/protocol/messages.ts';
import { routePath } from '../../../src/protocol/routes.ts';
import { type RunUpdate, runUpdateSchema } from '../../../src/protocol/run-result.ts';
import { signRequest } from '../../../src/protocol/signing.ts';
import { type BridgeFixture, bridgeFixture } from '../../support/bridge-fixture.ts';
import {
  pairRunner,
  post,
  request,
  type SignedClient,
  testCapabilities,
} from '../../support/signed-client.ts';
import { until } from '../../support/until.ts';

const flow = {
  nodes: [
    { id: 's', type: 'start' },
    { id: 'a', type: 'navigate', data: { url: 'https://example.test/' } },
  ],
  edges: [{ source: 's', target: 'a' }],
};
const at = '2026-11-24T10:00:00.000Z';
const passed = { status: 'passed' as const, durationMs: 1, stepsResult: [] };

describe('event streams', () => {
  let fixture: BridgeFixture;
  let client: SignedClient;
  let runnerId: string;
  beforeAll(async () => {
    fixture = await bridgeFixture({ timing: { streamHeartbeatMs: 50 } });
    ({ client, runnerId } = await pairRunner(fixture.bridge.url, fixture.bridge.adminToken));
  });
  afterAll(() => fixture?.end());

  const operatorHeaders = () => ({ authorization: `Bearer ${fixture.bridge.adminToken.reveal()}` });
  const eventsUrl = (runId: string) => fixture.bridge.url + routePath('followRun', { runId });
  const take = async (): Promise<Lease> => {
    await post(fixture.bridge.url, '/v1/runs', flow, fixture.bridge.adminToken);
    const { leases } = await client.call('pollLeases', {
      body: { slots: 1, waitMs: 5_000, capabilities: testCapabilities },
    });
    const [lease] = leases;
    if (lease === undefined) throw new Error('no run was granted');
    await client.call('heartbeat', {
      params: { leaseId: lease.leaseId },
      body: { fence: lease.fence, nodeId: null },
    });
    return lease;
  };
  const step = ({ leaseId, fence }: Lease, seq: number) =>
    client.call('postEvents', {
      params: { leaseId },
      body: { fence, events: [{ seq, at, event: { type: 'step_start', nodeId: `n${seq}` } }] },
    });
  const end = ({ leaseId, fence }: Lease) =>
    client.call('postResult', { params: { leaseId }, body: { fence, result: passed } });

  /** Follows with the same client operators use, which reconnects by itself. */
  const follow = (runId: string) => {
    const updates: RunUpdate[] = [];
    const ids: string[] = [];
    let onDone = (): void => {};
    const done = new Promise<void>((resolve) => {
      onDone = resolve;
    });
    const source = new EventSource(eventsUrl(runId), {
      fetch: (address, init) =>
        fetch(address, { ...init, headers: { ...init.headers, ...operatorHeaders() } }),
    });
    source.addEventListener('message', ({ data, lastEventId }) => {
      const update = runUpdateSchema.parse(JSON.parse(String(data)));
      updates.push(update);
      ids.push(lastEventId);
      if (update.type !== 'run_complete') return;
      source.close();
      onDone();
    });
    return { updates, ids, done };
  };

  it('tells each event as it comes, and ends with run_complete', async () => {
    const lease = await take();
    const following = follow(lease.runId);
    await until('run_start was told', () => following.updates.length === 1);
    await step(lease, 1);
    await until('the step was told', () => following.updates.length === 2);
    expect(following.updates[1]).toMatchObject({ type: 'step_start', nodeId: 'n1', fence: 1, seq: 1, at });
    await end(lease);
    await following.done;
    expect(following.ids).toEqual(['1-0', '1-1', '1-2']);
    expect(following.updates.at(-1)).toMatchObject({ type: 'run_complete', status: 'passed' });
  });

  it('closes by itself at the end, for a reader that is no event source', async () => {
    const lease = await take();
    await end(lease);
    const response = await fetch(eventsUrl(lease.runId), { headers: operatorHeaders() });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store, no-transform');
    expect(await response.text()).toMatch(/^: open\n\nid: 1-0\ndata: \{.*\n\nid: 1-1\ndata: \{.*\n\n$/);
  });

  it('goes on after Last-Event-ID, and answers 204 when there is nothing more to come', async () => {
    const lease = await take();
    await step(lease, 1);
    await end(lease);
    const rest = async (id: string) => {
      const response = await fetch(eventsUrl(lease.runId), {
        headers: { ...operatorHeaders(), 'last-event-id': id },
      });
      return {
        status: response.status,
        ids: [...(await response.text()).matchAll(/^id: (.*)$/gm)].map(([, i]) => i),
      };
    };
    expect(await rest('1-0')).toEqual({ status: 200, ids: ['1-1', '1-2'] });
    expect(await rest('1-2')).toEqual({ status: 204, ids: [] });
    expect((await rest('nonsense')).ids).toEqual(['1-0', '1-1', '1-2']);
  });

  it('loses nothing for readers that join while events come', async () => {
    const lease = await take();
    const readers: ReturnType<typeof follow>[] = [];
    for (let seq = 1; seq <= 30; seq += 1) {
      const stored = step(lease, seq);
      readers.push(follow(lease.runId));
      await stored;
    }
    await end(lease);
    const expected = Array.from({ length: 32 }, (_, seq) => `1-${seq}`);
    for (const reader of readers) {
      await reader.done;
      expect(reader.ids).toEqual(expected);
    }
  });

  it('shows that it lives by comment lines while nothing happens', async () => {
    const lease = await take();
    const gone = new AbortController();
    const response = await fetch(eventsUrl(lease.runId), { headers: operatorHeaders(), signal: gone.signal });
    const reader = response.body?.getReader();
    let text = '';
    while (!/(: \n\n){2}/.test(text)) text += Buffer.from((await reader?.read())?.value ?? []).toString();
    gone.abort();
    await end(lease);
  });

  it('ends the control stream of a runner that is revoked', async () => {
    const { url: base, adminToken } = fixture.bridge;
    const other = await pairRunner(base, adminToken);
    const url = `${base}/v1/control`;
    const plain = { method: 'GET', url, headers: {}, body: null };
    const response = await fetch(url, { headers: signRequest(plain, other.client.key, Date.now()) });
    await request(base, 'DELETE', `/v1/runners/${other.runnerId}`, undefined, adminToken);
    expect(await response.text()).not.toContain('event: poll');
  });

  it('tells a runner over control to poll for a new run, and to heartbeat for a cancel', async () => {
    const url = `${fixture.bridge.url}/v1/control`;
    const gone = new AbortController();
    const plain = { method: 'GET', url, headers: {}, body: null };
    const response = await fetch(url, {
      headers: signRequest(plain, client.key, Date.now()),
      signal: gone.signal,
    });
    expect(response.status).toBe(200);
    const reader = response.body?.getReader();
    let text = '';
    const hear = async (what: RegExp): Promise<void> => {
      while (!what.test(text)) text += Buffer.from((await reader?.read())?.value ?? []).toString();
    };
    await hear(/: open/);
    const lease = await take();
    await hear(/event: poll\ndata: \{\}/);
    const { url: base, adminToken } = fixture.bridge;
    await request(base, 'POST', `/v1/runs/${lease.runId}/cancel`, undefined, adminToken);
    await hear(new RegExp(`event: heartbeat\ndata: {"leaseId":"${lease.leaseId}"}`));
    const { orders } = await client.call('heartbeat', {
      params: { leaseId: lease.leaseId },
      body: { fence: lease.fence, nodeId: null },
    });
    expect(orders).toEqual(['cancel']);
    text = '';
    await post(base, `/v1/runners/${runnerId}/drain`, { drain: true }, adminToken);
    await hear(/event: poll/);
    gone.abort();
    await client.call('postResult', {
      params: { leaseId: lease.leaseId },
      body: { fence: lease.fence, result: { ...passed, status: 'cancelled' } },
    });
  });
});
