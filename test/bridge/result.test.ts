import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lease } from '../../src/protocol/messages.ts';
import type { NumberedEvent } from '../../src/protocol/run-result.ts';
import { type BridgeFixture, bridgeFixture } from '../support/bridge-fixture.ts';
import { pairRunner, post, request, type SignedClient, testCapabilities } from '../support/signed-client.ts';

const flow = {
  nodes: [
    { id: 's', type: 'start' },
    { id: 'a', type: 'navigate', data: { url: 'https://example.test/' } },
  ],
  edges: [{ source: 's', target: 'a' }],
};
const passed = { status: 'passed' as const, durationMs: 7, stepsResult: [] };
const failed = { ...passed, status: 'failed' as const };

function event(seq: number): NumberedEvent {
  return { seq, at: '2026-11-24T10:00:00.000Z', event: { type: 'step_start', nodeId: `n${seq}` } };
}

describe('a result', () => {
  let fixture: BridgeFixture;
  let client: SignedClient;
  beforeAll(async () => {
    fixture = await bridgeFixture();
    ({ client } = await pairRunner(fixture.bridge.url, fixture.bridge.adminToken));
  });
  afterAll(() => fixture?.end());

  async function leased(): Promise<Lease> {
    await post(fixture.bridge.url, '/v1/runs', flow, fixture.bridge.adminToken);
    const { leases } = await client.call('pollLeases', {
      body: { slots: 1, waitMs: 5_000, capabilities: testCapabilities },
    });
    const [lease] = leases;
    if (lease === undefined) throw new Error('no lease came');
    await client.call('heartbeat', {
      params: { leaseId: lease.leaseId },
      body: { fence: lease.fence, nodeId: null },
    });
    return lease;
  }
  const operator = (path: string) =>
    request(fixture.bridge.url, 'GET', path, undefined, fixture.bridge.adminToken);
  const updatesOf = async (runId: string): Promise<string[]> => {
    const response = await fetch(`${fixture.bridge.url}/v1/runs/${runId}/events`, {
      headers: { authorization: `Bearer ${fixture.bridge.adminToken.reveal()}` },
    });
    return [...(await response.text()).matchAll(/"type":"(\w+)"/g)].map(([, type]) => type ?? '');
  };

  it('that is sent again, even with another verdict, changes nothing and answers the same', async () => {
    const { leaseId, fence, runId } = await leased();
    const params = { leaseId };
    const first = await client.call('postResult', { params, body: { fence, result: passed } });
    const row = (await operator(`/v1/runs/${runId}`)).body;
    expect(await client.call('postResult', { params, body: { fence, result: passed } })).toEqual(first);
    expect(await client.call('postResult', { params, body: { fence, result: failed } })).toEqual(first);
    expect((await operator(`/v1/runs/${runId}`)).body).toEqual(row);
    expect(await updatesOf(runId)).toEqual(['run_start', 'run_complete']);
  });

  it('brings the last events with it, each stored once however often it is sent', async () => {
    const { leaseId, fence, runId } = await leased();
    const params = { leaseId };
    await client.call('postEvents', { params, body: { fence, events: [event(1), event(2)] } });
    const body = { fence, result: passed, lastEvents: [event(2), event(3)] };
    expect(await client.call('postResult', { params, body })).toEqual({ status: 'passed' });
    expect(await client.call('postResult', { params, body })).toEqual({ status: 'passed' });
    const steps = ['step_start', 'step_start', 'step_start'];
    expect(await updatesOf(runId)).toEqual(['run_start', ...steps, 'run_complete']);
  });

  it.each([
    ['a fence', { fence: 3e9, result: passed }],
    ['a duration', { fence: 1, result: { ...passed, durationMs: 3e9 } }],
    ['the number of an event', { fence: 1, result: passed, lastEvents: [event(3e9)] }],
    [
      'the time of an event',
      { fence: 1, result: passed, lastEvents: [{ ...event(1), at: '0000-01-01T00:00:00Z' }] },
    ],
  ])('with %s no row can hold is refused by name', async (_, body) => {
    const params = { leaseId: '7b0f8f0e-7a39-4c0e-9d4e-1a2b3c4d5e6f' };
    expect(await client.send('postResult', { params, body })).toMatchObject({
      status: 400,
      body: { code: 'malformed_request' },
    });
  });

  it.each([
    ['leave a gap behind those stored', [event(2)], 'events from 1 on are missing before them'],
    ['are not numbered one after the other', [event(1), event(3)], 'must be numbered one after the other'],
  ])('is refused, and the run goes on, when its last events %s', async (_, lastEvents, message) => {
    const { leaseId, fence, runId } = await leased();
    const params = { leaseId };
    const refused = await client.send('postResult', { params, body: { fence, result: passed, lastEvents } });
    expect(refused.status).toBe(400);
    expect(refused.body).toMatchObject({
      code: 'malformed_request',
      errors: [{ path: 'lastEvents', message: expect.stringContaining(message) }],
    });
    expect((await operator(`/v1/runs/${runId}`)).body).toMatchObject({ status: 'running' });
    await client.call('postResult', { params, body: { fence, result: passed } });
  });
});
