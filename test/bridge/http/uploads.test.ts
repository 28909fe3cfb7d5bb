import { createHash } from 'node:crypto';
import { request as rawRequest } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Lease } from '../../../src/protocol/messages.ts';
import type { ResponseOf } from '../../../src/protocol/routes.ts';
import { type BridgeFixture, bridgeFixture } from '../../support/bridge-fixture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import {
  pairRunner,
  post,
  request,
  type SignedClient,
  testCapabilities,
} from '../../support/signed-client.ts';

const picture = Buffer.from('not really a png, but these are its bytes');
const sha256 = createHash('sha256').update(picture).digest('hex');
const flow = {
  nodes: [
    { id: 's', type: 'start' },
    { id: 'a', type: 'navigate', data: { url: 'https://example.test/' } },
  ],
  edges: [{ source: 's', target: 'a' }],
};

describe('uploading a picture', () => {
  const clock = new ManualClock();
  let fixture: BridgeFixture;
  let client: SignedClient;
  let lease: Lease;
  beforeAll(async () => {
    fixture = await bridgeFixture({ clock, timing: { sweepMs: Number.MAX_SAFE_INTEGER } });
    const { url, adminToken } = fixture.bridge;
    ({ client } = await pairRunner(url, adminToken, { nowMs: () => clock.nowMs() }));
  });
  afterAll(() => fixture?.end());
  beforeEach(async () => {
    await post(fixture.bridge.url, '/v1/runs', flow, fixture.bridge.adminToken);
    const { leases } = await client.call('pollLeases', {
      body: { slots: 1, waitMs: 0, capabilities: testCapabilities },
    });
    const [granted] = leases;
    if (granted === undefined) throw new Error('no run was granted');
    lease = granted;
    await client.call('heartbeat', { params: params(), body: { fence: lease.fence, nodeId: null } });
  });

  const params = () => ({ leaseId: lease.leaseId });
  const ask = (more: object = {}): Promise<ResponseOf<'requestUpload'>> =>
    client.call('requestUpload', {
      params: params(),
      body: {
        fence: lease.fence,
        nodeId: 'a',
        contentType: 'image/png',
        bytes: picture.length,
        sha256,
        ...more,
      },
    });
  const put = async (url: string, body: Buffer = picture, contentType = 'image/png') => {
    const response = await fetch(url, {
      method: 'PUT',
      headers: { 'content-type': contentType },
      body: new Uint8Array(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const finish = (screenshotUrl: string) =>
    client.call('postResult', {
      params: params(),
      body: {
        fence: lease.fence,
        result: {
          status: 'failed',
          durationMs: 1,
          stepsResult: [
            { nodeId: 'a', type: 'navigate', status: 'failed', durationMs: 1, error: 'no', screenshotUrl },
          ],
        },
      },
    });
  const stepOf = async (): Promise<Record<string, unknown> | undefined> => {
    const { url, adminToken } = fixture.bridge;
    const run = await request(url, 'GET', `/v1/runs/${lease.runId}`, undefined, adminToken);
    return (run.body['stepsResult'] as Record<string, unknown>[])[0];
  };

  it('puts exactly the announced object, which anybody who knows its address can read', async () => {
    const { url, headers, publicUrl, method } = await ask();
    expect(method).toBe('PUT');
    expect(headers).toEqual({ 'content-type': 'image/png' });
    expect(await put(url)).toEqual({ status: 200, body: { done: true } });
    const read = await fetch(publicUrl);
    expect(Buffer.from(await read.arrayBuffer())).toEqual(picture);
    expect(read.headers.get('content-type')).toBe('image/png');
    expect(read.headers.get('x-content-type-options')).toBe('nosniff');
    expect(publicUrl).toContain(sha256);
    expect(publicUrl).not.toContain('signature');
    await finish(publicUrl);
    expect(await stepOf()).toMatchObject({ screenshotUrl: publicUrl });
  });

  it('may be repeated: the same request gives the same object, the same PUT changes nothing', async () => {
    const [first, second] = [await ask(), await ask()];
    expect(second.publicUrl).toBe(first.publicUrl);
    expect((await put(first.url)).status).toBe(200);
    expect((await put(second.url)).status).toBe(200);
    expect((await put(first.url)).status).toBe(200);
  });

  it.each<[string, (url: string) => ReturnType<typeof put>, number, string]>([
    [
      'another body of the same length',
      (url) => put(url, Buffer.alloc(picture.length)),
      422,
      'artifact_refused',
    ],
    ['a longer body', (url) => put(url, Buffer.concat([picture, picture])), 422, 'artifact_refused'],
    ['another content type', (url) => put(url, picture, 'image/jpeg'), 422, 'artifact_refused'],
    ['JSON', (url) => put(url, picture, 'application/json'), 422, 'artifact_refused'],
    ['HTML', (url) => put(url, picture, 'text/html'), 415, 'unsupported_media_type'],
    ['a changed address', (url) => put(url.replace('/1/', '/2/')), 403, 'not_allowed'],
    ['a changed length', (url) => put(url.replace(/bytes=\d+/, 'bytes=9')), 403, 'not_allowed'],
    ['a longer life', (url) => put(url.replace(/expires=\d/, 'expires=9')), 403, 'not_allowed'],
    ['no signature', (url) => put(url.split('?')[0] ?? ''), 403, 'not_allowed'],
    ['more than 5 MB', (url) => put(url, Buffer.alloc(5 * 1024 * 1024 + 1)), 413, 'body_too_large'],
  ])('is refused with %s', async (_, attempt, status, code) => {
    const { url, publicUrl } = await ask({ nodeId: `never stored ${_}` });
    expect(await attempt(url)).toMatchObject({ status, body: { code } });
    expect((await fetch(publicUrl)).status).toBe(404);
  });

  it('is refused five minutes later', async () => {
    const { url, expiresAt } = await ask();
    expect(Date.parse(expiresAt)).toBe(clock.nowMs() + 300_000);
    await clock.advance(300_000);
    expect(await put(url)).toMatchObject({ status: 403, body: { code: 'not_allowed' } });
  });

  it('is not offered for a type or a size the bridge does not take', async () => {
    for (const more of [{ contentType: 'text/html' }, { bytes: 6 * 1024 * 1024 }, { sha256: 'x' }]) {
      const answer = await client.send('requestUpload', {
        params: params(),
        body: { fence: lease.fence, nodeId: 'a', contentType: 'image/png', bytes: 1, sha256, ...more },
      });
      expect(answer).toMatchObject({ status: 400, body: { code: 'malformed_request' } });
    }
  });

  it('is offered only so often in one attempt', async () => {
    for (let index = 0; index < 50; index += 1) await ask({ nodeId: `node ${index}` });
    const answer = await client.send('requestUpload', {
      params: params(),
      body: { fence: lease.fence, nodeId: 'one more', contentType: 'image/png', bytes: 1, sha256 },
    });
    expect(answer).toMatchObject({ status: 422, body: { code: 'artifact_refused' } });
  });

  it('cannot be used to plant another address in the result', async () => {
    await finish('https://evil.test/look-here.png');
    expect(await stepOf()).not.toHaveProperty('screenshotUrl');
    expect(await stepOf()).toMatchObject({ screenshotProblem: expect.stringContaining('not uploaded') });
  });

  it('reads nothing but pictures, whatever the path says', async () => {
    const { url } = fixture.bridge;
    for (const path of [
      '/v1/blobs/../secrets.json',
      '/v1/blobs/%2e%2e%2fsecrets.json',
      '/v1/blobs/runs/..%2f..%2f..%2fsecrets.json',
      '/v1/blobs/runs/../../../../../etc/passwd',
      '/v1/blobs/',
      `/v1/blobs/runs/${lease.runId}/1/${'0'.repeat(16)}-${sha256}.png%00.txt`,
    ]) {
      expect(await rawGet(url, path)).toBe(404);
    }
  });
});

/** fetch would tidy the path up before it is sent. */
function rawGet(url: string, path: string): Promise<number | undefined> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    rawRequest({ hostname, port, path }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    })
      .on('error', reject)
      .end();
  });
}
