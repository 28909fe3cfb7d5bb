import { request as rawRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../../src/protocol/limits.ts';
import { bodyLimitOf } from '../../../src/protocol/routes.ts';
import { type BridgeFixture, bridgeFixture } from '../../support/bridge-fixture.ts';
import {
  pairRunner,
  post,
  request,
  type SignedClient,
  testCapabilities,
} from '../../support/signed-client.ts';

const flow = {
  nodes: [
    { id: 's', type: 'start' },
    { id: 'a', type: 'navigate', data: { url: 'https://example.test/' } },
  ],
  edges: [{ source: 's', target: 'a' }],
};

describe('a request the bridge cannot take', () => {
  let fixture: BridgeFixture;
  let client: SignedClient;
  const submit = (body: unknown) => post(fixture.bridge.url, '/v1/runs', body, fixture.bridge.adminToken);
  const submitText = (text: string) =>
    request(fixture.bridge.url, 'POST', '/v1/runs', text, fixture.bridge.adminToken);
  beforeAll(async () => {
    fixture = await bridgeFixture();
    ({ client } = await pairRunner(fixture.bridge.url, fixture.bridge.adminToken));
  });
  afterAll(() => fixture?.end());

  it('is told which fields are wrong, all at once', async () => {
    const answer = await submit({ nodes: 'none', edges: [1], colour: 'red', priority: 5_000 });
    expect(answer).toMatchObject({ status: 400, body: { code: 'malformed_request' } });
    const paths = (answer.body['errors'] as { path: string; message: string }[]).map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['nodes', 'priority', '(body)']));
    expect(JSON.stringify(answer.body)).toContain('colour');
  });

  it.each([
    ['no JSON', '{"nodes": ['],
    ['an empty body', ''],
    ['only a number', '7'],
    ['only null', 'null'],
  ])('is refused with %s', async (_, text) => {
    expect(await submitText(text)).toMatchObject({ status: 400, body: { code: 'malformed_request' } });
  });

  it('is refused when it is nested so deep that a database would choke on it', async () => {
    const deep = `{"nodes":[{"id":"a","type":"start","data":${'['.repeat(100_000)}${']'.repeat(100_000)}}],"edges":[]}`;
    expect(await submitText(deep)).toMatchObject({
      status: 400,
      body: { detail: 'the body is nested deeper than 100 levels' },
    });
  });

  it('that holds what a database cannot store is stored with replacement characters', async () => {
    const text = JSON.stringify({ ...flow, name: 'NAME' }).replace('NAME', 'a\\u0000b\\ud800c\\ud83d\\ude00');
    const { body } = await submitText(text);
    const run = await request(
      fixture.bridge.url,
      'GET',
      `/v1/runs/${String(body['runId'])}`,
      undefined,
      fixture.bridge.adminToken,
    );
    expect(run.body['name']).toBe('a\u{fffd}b\u{fffd}c😀');
  });

  it('is told every problem of its flow', async () => {
    const answer = await submit({ nodes: [{ id: 'x', type: 'fly' }], edges: [{ source: 'x', target: 'y' }] });
    expect(answer).toMatchObject({ status: 422, body: { code: 'flow_invalid' } });
    expect((answer.body['errors'] as object[]).length).toBeGreaterThanOrEqual(3);
  });

  it('of 10 MB where 1 MB is allowed gets 413 and does not hang, and the bridge goes on', async () => {
    const body = Buffer.alloc(10 * 1024 * 1024, 0x20);
    const { status, text } = await rawPost(fixture.bridge.url, '/v1/runs', body, {
      'content-length': body.length,
    });
    expect(status).toBe(413);
    expect(JSON.parse(text)).toMatchObject({
      code: 'body_too_large',
      detail: `this route takes ${bodyLimitOf('submitRun')} bytes`,
    });
    expect((await submit(flow)).status).toBe(200);
  });

  it('of 10 MB that does not say how long it is gets 413 as well', async () => {
    const body = Buffer.alloc(10 * 1024 * 1024, 0x20);
    const { status } = await rawPost(fixture.bridge.url, '/v1/runs', body, {
      'transfer-encoding': 'chunked',
    });
    expect(status).toBe(413);
  });

  it('that is too large but signed gets a signed 413, so that the runner gives up instead of retrying', async () => {
    const answer = await client.send('pollLeases', { body: { pad: 'x'.repeat(limits.smallBodyBytes) } });
    expect(answer).toMatchObject({ status: 413, isSigned: true, body: { code: 'body_too_large' } });
  });

  it('of exactly the allowed size is taken', async () => {
    const empty = JSON.stringify({ ...flow, variables: { PAD: '' } }).length;
    const allowed = bodyLimitOf('submitRun');
    const chunk = 99_000;
    const variables: Record<string, string> = {};
    let size = empty;
    for (let index = 0; size + chunk + 20 < allowed; index += 1) {
      variables[`V${index}`] = 'x'.repeat(chunk);
      size = JSON.stringify({ ...flow, variables }).length;
    }
    variables['PAD'] = 'x'.repeat(allowed - size - ',"PAD":""'.length);
    const text = JSON.stringify({ ...flow, variables });
    expect(text.length).toBe(allowed);
    expect((await submitText(text)).status).toBe(200);
    expect((await submitText(`${text} `)).status).toBe(413);
  });

  it('of another content type gets 415', async () => {
    const { status, text } = await rawPost(fixture.bridge.url, '/v1/runs', Buffer.from('a=b'), {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect(status).toBe(415);
    expect(JSON.parse(text)).toMatchObject({ code: 'unsupported_media_type' });
    const picture = await rawPost(fixture.bridge.url, '/v1/pairings', Buffer.from('x'), {
      'content-type': 'image/png',
    });
    expect(picture.status).toBe(415);
  });

  it('to an unknown address gets 404, with a method the address does not take 405', async () => {
    const { url } = fixture.bridge;
    expect(await request(url, 'GET', '/v2/runs')).toMatchObject({ status: 404, body: { code: 'not_found' } });
    const wrong = await request(url, 'PUT', '/v1/runs', '{}');
    expect(wrong).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
    expect(wrong.headers.get('allow')).toBe('POST, GET');
    expect((await request(url, 'POST', '/v1/runs/not-a-uuid/cancel', '{}')).status).toBe(401);
  });

  it('with a path parameter that is no UUID gets 400 naming it', async () => {
    const { url, adminToken } = fixture.bridge;
    expect(await request(url, 'GET', '/v1/runs/1%27%20or%201=1', undefined, adminToken)).toMatchObject({
      status: 400,
      body: { code: 'malformed_request', errors: [{ path: 'runId', message: 'must be a UUID' }] },
    });
  });

  it('with a query the route does not know gets 400 naming it', async () => {
    const { url, adminToken } = fixture.bridge;
    const answer = await request(url, 'GET', '/v1/runs?limit=0&colour=red', undefined, adminToken);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body['errors'])).toMatch(/limit.*colour/);
  });

  it('of a runner that speaks another version of the protocol gets 426', async () => {
    const body = { slots: 1, waitMs: 0, capabilities: { ...testCapabilities, protocol: 99 } };
    expect(await client.send('pollLeases', { body })).toMatchObject({
      status: 426,
      isSigned: true,
      body: { code: 'upgrade_required' },
    });
  });

  it('with more step events than a run can have gets 400, so that nobody fills what keeps them', async () => {
    const { body } = await submit(flow);
    const { leases } = await client.call('pollLeases', {
      body: { slots: 64, waitMs: 5_000, capabilities: testCapabilities },
    });
    const lease = leases.find(({ runId }) => runId === body['runId']);
    if (lease === undefined) throw new Error('the run was not granted');
    const { leaseId, fence } = lease;
    await client.call('heartbeat', { params: { leaseId }, body: { fence, nodeId: null } });
    const tell = (seqs: number[]) =>
      client.send('postEvents', {
        params: { leaseId },
        body: {
          fence,
          events: seqs.map((seq) => ({
            seq,
            at: new Date().toISOString(),
            event: { type: 'step_start', nodeId: 'a' },
          })),
        },
      });
    const most = limits.eventsPerAttempt;
    for (let first = 1; first <= most; first += limits.eventsPerBatch) {
      const batch = Array.from({ length: limits.eventsPerBatch }, (_, index) => first + index);
      expect((await tell(batch)).status).toBe(200);
    }
    expect(await tell([most + 1])).toMatchObject({
      status: 400,
      isSigned: true,
      body: {
        code: 'malformed_request',
        errors: [{ path: 'events[0].seq', message: `an attempt has at most ${most} step events` }],
      },
    });
  });

  it('about a run that does not exist gets 404', async () => {
    const { url, adminToken } = fixture.bridge;
    const id = '00000000-0000-4000-8000-000000000000';
    for (const [method, path] of [
      ['GET', `/v1/runs/${id}`],
      ['POST', `/v1/runs/${id}/cancel`],
      ['GET', `/v1/runs/${id}/events`],
      ['DELETE', `/v1/runners/${id}`],
    ] as const) {
      expect((await request(url, method, path, undefined, adminToken)).body).toMatchObject({
        code: 'not_found',
      });
    }
  });
});

/** Sends a body to its end, as a client does that reads the answer only afterwards. */
function rawPost(
  url: string,
  path: string,
  body: Buffer,
  headers: Record<string, string | number>,
): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = rawRequest(
      url + path,
      { method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode, text }));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
