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
  type Tampering,
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
    await beat();
    return { ...runner, runId: String(body['runId']), lease, beat };
  }

  it('gives the run to another one as soon as the first was told, not when its lease is over', async () => {
    const first = await executing();
    const second = await pair();
    const waiting = poll(second.client, 20_000);
    await revoke(first.runnerId);
    expect(await first.beat()).toMatchObject({
      status: 401,
      isSigned: true,
      body: { code: 'credential_revoked' },
    });
    const [lease] = await waiting;
    expect(lease).toMatchObject({ runId: first.runId, fence: first.lease.fence + 1, attempt: 2 });
    expect((await read(first.runId))['lastEndReason']).toBe('revoked');
    await operatorRequest(fixture.bridge, 'POST', `/v1/runs/${first.runId}/cancel`, {});
    await revoke(second.runnerId);
    await second.client.send('heartbeat', {
      params: { leaseId: lease?.leaseId ?? '' },
      body: { fence: 1, nodeId: null },
    });
  });

  it('leaves the run with one that was not told: it may still act', async () => {
    const { runnerId, runId, client, beat } = await executing();
    await revoke(runnerId);
    // A poll is no word of the process that executes.
    const capabilities = testCapabilities;
    expect((await client.send('pollLeases', { body: { slots: 1, waitMs: 0, capabilities } })).status).toBe(
      401,
    );
    expect(await read(runId)).toMatchObject({ status: 'running', runnerId });
    await beat();
    await until('it is taken back', async () => (await read(runId))['status'] === 'queued');
    await operatorRequest(fixture.bridge, 'POST', `/v1/runs/${runId}/cancel`, {});
  });

  it.each<[string, Tampering]>([
    ['a heartbeat of before, sent again by somebody else', {}],
    ['a heartbeat of hours ago', { nowMs: Date.now() - 7_200_000 }],
    ['a heartbeat whose body was altered', { alter: (message) => ({ ...message, body: Buffer.from('{}') }) }],
  ])('is not taken for told by %s', async (_, tampering) => {
    const { runnerId, runId, client, lease, beat } = await executing();
    let captured: RequestMessage | null = null;
    await client.send('heartbeat', {
      params: { leaseId: lease.leaseId },
      body: { fence: lease.fence, nodeId: 'a' },
      ...tampering,
      alter: (message) => {
        captured = tampering.alter?.(message) ?? message;
        return captured;
      },
    });
    if (captured === null) throw new Error('nothing was sent');
    await revoke(runnerId);
    expect((await exchange(captured, client.key)).body['code']).toBe('credential_revoked');
    for (let look = 0; look < 20; look += 1) expect((await read(runId))['status']).toBe('running');
    await beat();
    await until('it is taken back', async () => (await read(runId))['status'] === 'queued');
    await operatorRequest(fixture.bridge, 'POST', `/v1/runs/${runId}/cancel`, {});
  });

  it.each([
    ['fail', 'failed'],
    ['auto', 'failed'],
  ])('ends a run that is not to be delivered again (%s)', async (onRedelivery, status) => {
    const { runnerId, runId, beat } = await executing({ onRedelivery });
    await revoke(runnerId);
    await beat();
    await until('it is over', async () => (await read(runId))['status'] === status);
    expect((await read(runId))['error']).toMatchObject({ code: 'not_redelivered' });
  });

  it('tells the stream of hints what it runs, as its last words', async () => {
    const { runnerId, runId, lease, client, beat } = await executing();
    let said = '';
    const stream = controlText(client, (text) => {
      said += text;
    });
    await until('the stream is open', () => said.includes(':') || stream.isOpen());
    await revoke(runnerId);
    await stream.ended;
    expect(said).toContain(`event: heartbeat\ndata: {"leaseId":"${lease.leaseId}"}`);
    await beat();
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
