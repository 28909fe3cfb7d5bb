import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lease } from '../../../src/protocol/messages.ts';
import { type RequestMessage, signRequest } from '../../../src/protocol/signing.ts';
import { type BridgeFixture, bridgeFixture } from '../../support/bridge-fixture.ts';
import { chain } from '../../support/chain.ts';
import {
  exchange,
  operatorRequest,
  pairRunner,
  type SignedClient,
  testCapabilities,
} from '../../support/signed-client.ts';
import { until } from '../../support/until.ts';

const flow = chain({ id: 'a', type: 'click', data: { selector: '#a' } });

describe('revoking a runner that executes a run', () => {
  let fixture: BridgeFixture;
  beforeAll(async () => {
    fixture = await bridgeFixture();
  });
  afterAll(() => fixture?.end());

  const pair = () => pairRunner(fixture.bridge.url, fixture.bridge.adminToken);
  const read = async (runId: string) =>
    (await operatorRequest(fixture.bridge, 'GET', `/v1/runs/${runId}`)).body;
  const revoke = (runnerId: string) => operatorRequest(fixture.bridge, 'DELETE', `/v1/runners/${runnerId}`);
  const poll = async (client: SignedClient, waitMs: number): Promise<Lease[]> =>
    (await client.call('pollLeases', { body: { slots: 1, waitMs, capabilities: testCapabilities } })).leases;

  async function executing(more: object = {}) {
    const runner = await pair();
    const { body } = await operatorRequest(fixture.bridge, 'POST', '/v1/runs', { ...flow, ...more });
    const [lease] = await poll(runner.client, 5_000);
    if (lease === undefined) throw new Error('no lease');
    const beat = () =>
      runner.client.send('heartbeat', {
        params: { leaseId: lease.leaseId },
        body: { fence: lease.fence, nodeId: 'a' },
      });
    const handBack = () =>
      runner.client.send('releaseLease', {
        params: { leaseId: lease.leaseId },
        body: { fence: lease.fence, reason: 'interrupted', detail: 'this runner was revoked' },
      });
    await beat();
    return { ...runner, handBack, runId: String(body['runId']), lease, beat };
  }

  it('gives the run to another one as soon as the first has handed it back, not when its lease is over', async () => {
    const first = await executing();
    const second = await pair();
    const waiting = poll(second.client, 20_000);
    await revoke(first.runnerId);
    expect(await first.beat()).toMatchObject({
      status: 401,
      isSigned: true,
      body: { code: 'credential_revoked' },
    });
    expect(await first.handBack()).toMatchObject({ status: 200, isSigned: true });
    const [lease] = await waiting;
    expect(lease).toMatchObject({ runId: first.runId, fence: first.lease.fence + 1, attempt: 2 });
    expect((await read(first.runId))['lastEndReason']).toBe('interrupted: this runner was revoked');
    await operatorRequest(fixture.bridge, 'POST', `/v1/runs/${first.runId}/cancel`, {});
    await second.client.send('heartbeat', {
      params: { leaseId: lease?.leaseId ?? '' },
      body: { fence: lease?.fence ?? 0, nodeId: null },
    });
    await second.client.call('postResult', {
      params: { leaseId: lease?.leaseId ?? '' },
      body: { fence: lease?.fence ?? 0, result: { status: 'cancelled', durationMs: 1, stepsResult: [] } },
    });
  });

  it('leaves the run with one that was told and has not handed it back: it may still act', async () => {
    const { runnerId, runId, client, lease, beat, handBack } = await executing();
    await revoke(runnerId);
    await beat();
    const body = { slots: 1, waitMs: 0, capabilities: testCapabilities };
    const params = { leaseId: lease.leaseId };
    const { fence } = lease;
    const result = { status: 'passed', durationMs: 1, stepsResult: [] };
    const event = { seq: 1, at: new Date().toISOString(), event: { type: 'step_start', nodeId: 'a' } };
    const refused = [
      await client.send('pollLeases', { body }),
      await client.send('postEvents', { params, body: { fence, events: [event] } }),
      await client.send('postResult', { params, body: { fence, result } }),
      await client.send('rotateCredentials', { body: { publicKey: 'A'.repeat(43) } }),
    ];
    expect(refused.map(({ body: { code } }) => code)).toEqual(refused.map(() => 'credential_revoked'));
    expect(await read(runId)).toMatchObject({ status: 'running', runnerId });
    await handBack();
    expect((await read(runId))['status']).toBe('queued');
    await operatorRequest(fixture.bridge, 'POST', `/v1/runs/${runId}/cancel`, {});
  });

  it('is not taken to have handed it back by what it sent before, sent again', async () => {
    const first = await executing();
    let captured: RequestMessage | null = null;
    const release = {
      params: { leaseId: first.lease.leaseId },
      body: { fence: first.lease.fence, reason: 'shutdown' },
    };
    await first.client.send('releaseLease', {
      ...release,
      alter(message) {
        captured = message;
        return message;
      },
    });
    const again = await poll(first.client, 5_000);
    await first.client.send('heartbeat', {
      params: { leaseId: first.lease.leaseId },
      body: { fence: again[0]?.fence ?? 0, nodeId: 'a' },
    });
    await revoke(first.runnerId);
    if (captured === null) throw new Error('nothing was sent');
    expect((await exchange(captured, first.client.key)).body['code']).toBe('replayed');
    expect((await first.client.send('releaseLease', release)).status).toBe(200);
    expect((await read(first.runId))['status']).toBe('running');
    await first.client.send('releaseLease', {
      ...release,
      body: { fence: again[0]?.fence ?? 0, reason: 'interrupted' },
    });
    await operatorRequest(fixture.bridge, 'POST', `/v1/runs/${first.runId}/cancel`, {});
  });

  it.each([
    ['fail', 'failed'],
    ['auto', 'failed'],
  ])('ends a run that is not to be delivered again (%s)', async (onRedelivery, status) => {
    const { runnerId, runId, handBack } = await executing({ onRedelivery });
    await revoke(runnerId);
    await handBack();
    await until('it is over', async () => (await read(runId))['status'] === status);
    expect((await read(runId))['error']).toMatchObject({ code: 'not_redelivered' });
  });

  it('tells the stream of hints what it runs, as its last words', async () => {
    const { runnerId, runId, lease, client, handBack } = await executing();
    let said = '';
    const stream = controlText(client, (text) => {
      said += text;
    });
    await until('the stream is open', () => said.includes(':') || stream.isOpen());
    await revoke(runnerId);
    await stream.ended;
    expect(said).toContain(`event: heartbeat\ndata: {"leaseId":"${lease.leaseId}"}`);
    await handBack();
    await operatorRequest(fixture.bridge, 'POST', `/v1/runs/${runId}/cancel`, {});
  });
});

function controlText(client: SignedClient, hear: (text: string) => void) {
  let isOpen = false;
  const ended = (async () => {
    const message = { method: 'GET', url: `${client.url}/v1/control`, headers: {}, body: null };
    const response = await fetch(message.url, { headers: signRequest(message, client.key, Date.now()) });
    isOpen = response.status === 200;
    for await (const chunk of response.body ?? []) hear(Buffer.from(chunk as Uint8Array).toString());
  })();
  return { ended, isOpen: () => isOpen };
}
