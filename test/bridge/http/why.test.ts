import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { protocolVersion } from '../../../src/protocol/limits.ts';
import { whyResponse } from '../../../src/protocol/why-messages.ts';
import { type BridgeFixture, bridgeFixture } from '../../support/bridge-fixture.ts';
import { pairRunner, post, request, testCapabilities } from '../../support/signed-client.ts';
import { until } from '../../support/until.ts';

const flow = {
  nodes: [
    { id: 's', type: 'start' },
    { id: 'a', type: 'navigate', data: { url: 'https://example.test/' } },
  ],
  edges: [{ source: 's', target: 'a' }],
};

describe('GET /v1/runs/:runId/why', () => {
  let fixture: BridgeFixture;
  beforeAll(async () => {
    fixture = await bridgeFixture();
  });
  afterAll(() => fixture?.end());

  it('is for operators, and knows no run that has no row', async () => {
    const { url, adminToken } = fixture.bridge;
    const path = `/v1/runs/${randomUUID()}/why`;
    expect(await request(url, 'GET', path)).toMatchObject({ status: 401, body: { code: 'token_refused' } });
    expect(await request(url, 'GET', path, undefined, adminToken)).toMatchObject({
      status: 404,
      body: { code: 'not_found', detail: 'there is no such run' },
    });
  });

  it('says of a runner that was refused for its version that it is too old', async () => {
    const { url, adminToken } = fixture.bridge;
    const { client, runnerId } = await pairRunner(url, adminToken);
    const { body: run } = await post(url, '/v1/runs', flow, adminToken);
    const capabilities = { ...testCapabilities, protocol: protocolVersion + 1 };
    const refused = await client.send('pollLeases', { body: { slots: 1, waitMs: 0, capabilities } });
    expect(refused).toMatchObject({ status: 426, body: { code: 'upgrade_required' } });
    const answer = await until('the runner is noted', async () => {
      const { body } = await request(url, 'GET', `/v1/runs/${run['runId']}/why`, undefined, adminToken);
      const why = whyResponse.parse(body);
      return why.runners[0]?.lacks[0]?.what === 'too_old' ? why : null;
    });
    expect(answer).toMatchObject({
      state: 'waiting',
      runners: [
        {
          runnerId,
          lacks: [{ what: 'too_old', protocol: protocolVersion + 1, needs: protocolVersion }],
          canTake: false,
        },
      ],
    });
  });
});
