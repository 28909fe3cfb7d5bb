import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newExchangeKeys } from '../../../src/protocol/keys.ts';
import type { Lease } from '../../../src/protocol/messages.ts';
import { type Route, type RouteName, routes } from '../../../src/protocol/routes.ts';
import { type BridgeFixture, bridgeFixture } from '../../support/bridge-fixture.ts';
import { chain } from '../../support/chain.ts';
import {
  operatorRequest,
  pairRunner,
  post,
  type SignedClient,
  testCapabilities,
  testHost,
} from '../../support/signed-client.ts';

// A runner that is newer than its bridge: it says more than the bridge knows.

const flow = chain({ id: 'a', type: 'wait', data: { ms: 1 } });
const news = { colour: 'red', depth: { of: ['news'] } };

describe('a runner that is newer than the bridge', () => {
  let fixture: BridgeFixture;
  let client: SignedClient;
  let runnerId: string;
  beforeAll(async () => {
    fixture = await bridgeFixture();
    ({ client, runnerId } = await pairRunner(fixture.bridge.url, fixture.bridge.adminToken));
  });
  afterAll(() => fixture?.end());

  const submit = async (): Promise<string> =>
    String((await operatorRequest(fixture.bridge, 'POST', '/v1/runs', flow)).body['runId']);
  const read = async (runId: string) =>
    (await operatorRequest(fixture.bridge, 'GET', `/v1/runs/${runId}`)).body;

  async function taken(): Promise<Lease> {
    const { leases } = await client.call('pollLeases', {
      body: {
        slots: 1,
        waitMs: 5_000,
        capabilities: { ...testCapabilities, ...news, browser: { kind: 'headless-shell', ...news } },
        ...news,
      },
    });
    const [lease] = leases;
    if (lease === undefined) throw new Error('no lease');
    const params = { leaseId: lease.leaseId };
    await client.call('heartbeat', { params, body: { fence: lease.fence, nodeId: null, ...news } });
    return lease;
  }

  it('may say more at every depth, and what nobody here knows is neither stored nor told', async () => {
    const runId = await submit();
    const { leaseId, fence } = await taken();
    const params = { leaseId };
    const at = new Date().toISOString();
    const step = { nodeId: 'a', type: 'wait', status: 'failed', durationMs: 1, error: 'no' };
    await client.call('postEvents', {
      params,
      body: {
        fence,
        events: [{ seq: 1, at, event: { type: 'step_start', nodeId: 'a', ...news }, ...news }],
        ...news,
      },
    });
    const upload = { nodeId: 'a', contentType: 'image/png', bytes: 1, sha256: 'a'.repeat(64) };
    await client.call('requestUpload', { params, body: { fence, ...upload, ...news } });
    await client.call('postResult', {
      params,
      body: {
        fence,
        result: {
          status: 'failed',
          durationMs: 1,
          stepsResult: [{ ...step, healed: { selector: 'a', insteadOf: 'b', ...news }, ...news }],
          error: { code: 'odd', message: 'no', ...news },
          ...news,
        },
        ...news,
      },
    });
    const row = await read(runId);
    expect(row).toMatchObject({ status: 'failed', stepsResult: [{ nodeId: 'a' }], error: { code: 'odd' } });
    const { body: runners } = await operatorRequest(fixture.bridge, 'GET', '/v1/runners');
    const all = JSON.stringify([row, runners, await events(runId)]);
    expect(all).toContain('step_start');
    expect(all).not.toContain('colour');
  });

  it('may pair with more than is known here', async () => {
    const { body: code } = await post(fixture.bridge.url, '/v1/codes', {}, fixture.bridge.adminToken);
    const { publicKey } = newExchangeKeys();
    const redeemed = await post(fixture.bridge.url, '/v1/pairings', {
      code: code['code'],
      publicKey,
      host: { ...testHost, ...news },
      ...news,
    });
    expect(redeemed.status).toBe(200);
    const { runnerId: id, claimToken } = redeemed.body;
    expect(
      await post(fixture.bridge.url, '/v1/pairings/claim', { runnerId: id, claimToken, ...news }),
    ).toMatchObject({
      status: 200,
    });
    const { body: runners } = await operatorRequest(fixture.bridge, 'GET', '/v1/runners');
    expect(JSON.stringify(runners)).not.toContain('colour');
  });

  it('gets its result in with a kind of error that nobody here knows, which is left out', async () => {
    const runId = await submit();
    const { leaseId, fence } = await taken();
    const step = {
      nodeId: 'a',
      type: 'wait',
      status: 'failed',
      durationMs: 1,
      error: 'no',
      errorKind: 'bored',
    };
    const result = { status: 'failed', durationMs: 1, stepsResult: [step] };
    await client.call('postResult', { params: { leaseId }, body: { fence, result } });
    const { errorKind: _, ...known } = step;
    expect((await read(runId))['stepsResult']).toEqual([known]);
  });

  it('hands a run back for a reason that nobody here knows: it is kept as said, and uses up an attempt', async () => {
    const runId = await submit();
    const { leaseId, fence } = await taken();
    await client.call('releaseLease', {
      params: { leaseId },
      body: { fence, reason: 'moved_house', detail: 'away' },
    });
    expect(await read(runId)).toMatchObject({
      status: 'queued',
      attempt: 1,
      lastEndReason: 'interrupted: moved_house: away',
    });
    await operatorRequest(fixture.bridge, 'POST', `/v1/runs/${runId}/cancel`, {});
  });

  it.each<[string, object]>([
    ['fence', { fence: 'one', nodeId: null }],
    ['nodeId', { fence: 1, nodeId: 7, ...news }],
  ])('is still told when its %s is wrong', async (field, body) => {
    const answer = await client.send('heartbeat', { params: { leaseId: runnerId }, body });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: field }] } });
  });

  it('is the only one: a field that operators made up is refused by name', async () => {
    const bodies: [RouteName, string, object][] = [
      ['createCode', '/v1/codes', {}],
      ['submitRun', '/v1/runs', flow],
      ['decideRunner', `/v1/runners/${runnerId}/decision`, { approve: true }],
      ['drainRunner', `/v1/runners/${runnerId}/drain`, { drain: false }],
    ];
    const ofOperators = (Object.keys(routes) as RouteName[]).filter(
      (name) => routes[name].auth === 'operator' && (routes[name] as Route).request !== undefined,
    );
    expect(bodies.map(([name]) => name).sort()).toEqual(ofOperators.sort());
    for (const [, path, body] of bodies) {
      const answer = await operatorRequest(fixture.bridge, 'POST', path, { ...body, colour: 'red' });
      expect(answer).toMatchObject({ status: 400 });
      expect(JSON.stringify(answer.body)).toContain('colour');
    }
  });

  async function events(runId: string): Promise<string> {
    const response = await fetch(`${fixture.bridge.url}/v1/runs/${runId}/events`, {
      headers: { authorization: `Bearer ${fixture.bridge.adminToken.reveal()}` },
    });
    return response.text();
  }
});
