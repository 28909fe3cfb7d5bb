import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nearness } from '../../../src/bridge/http/near.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { protocolVersion } from '../../../src/protocol/limits.ts';
import { type BridgeFixture, bridgeFixture } from '../../support/bridge-fixture.ts';
import { parseExposition, type Scrape } from '../../support/exposition.ts';
import { pairRunner, post, request, testCapabilities } from '../../support/signed-client.ts';
import { until } from '../../support/until.ts';

const flow = {
  nodes: [
    { id: 's', type: 'start' },
    { id: 'a', type: 'navigate', data: { url: 'https://example.test/' } },
  ],
  edges: [{ source: 's', target: 'a' }],
};
const at = '2026-11-24T10:00:00.000Z';

describe('/metrics', () => {
  let fixture: BridgeFixture;
  beforeAll(async () => {
    fixture = await bridgeFixture();
  });
  afterAll(() => fixture?.end());

  async function scrape(): Promise<Scrape> {
    const { status, headers, body } = await request(fixture.bridge.url, 'GET', '/metrics');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    return parseExposition(String(body['text']));
  }

  it('is text that a scraper can read, of this bridge, of all of them and of the process', async () => {
    const { types, value } = await scrape();
    expect(types.get('qualinet_polls_total')).toBe('counter');
    expect(types.get('qualinet_run_duration_seconds')).toBe('histogram');
    expect(types.get('qualinet_leases')).toBe('gauge');
    expect(types.get('process_resident_memory_bytes')).toBe('gauge');
    expect(types.get('nodejs_eventloop_lag_p99_seconds')).toBe('gauge');
    expect(value('qualinet_gauges_readable', { source: 'fleet' })).toBe(1);
    for (const name of types.keys()) expect(name).toMatch(/^(qualinet|process|nodejs)_[a-z0-9_]+$/);
    for (const [name, type] of types) {
      if (name.startsWith('qualinet_')) expect(name.endsWith('_total')).toBe(type === 'counter');
    }
  });

  it('has every metric in docs/operations.md', async () => {
    const text = await readFile(join(import.meta.dirname, '../../../docs/operations.md'), 'utf8');
    const own = [...(await scrape()).types.keys()].filter((name) => name.startsWith('qualinet_'));
    expect(own.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  it('counts what was done: polls, events, uploads, runs and requests', async () => {
    const { url, adminToken } = fixture.bridge;
    const workspace = 'counted';
    const { client } = await pairRunner(url, adminToken, { workspace, labels: ['eu'] });
    const before = await scrape();
    const submit = () => post(url, '/v1/runs', { ...flow, workspace, labels: ['eu'] }, adminToken);
    const poll = (waitMs: number, more: object = {}) =>
      client.send('pollLeases', {
        body: { slots: 1, waitMs, capabilities: { ...testCapabilities, ...more } },
      });
    await submit();
    await submit();
    await submit();
    const waiting = await until('gauges show the runs', async () => {
      const now = await scrape();
      return now.value('qualinet_runs_waiting', { workspace, labels: 'eu' }) === 3 ? now : null;
    });
    expect(waiting.value('qualinet_oldest_waiting_run_age_seconds', { workspace })).toBeGreaterThan(0);
    expect(waiting.value('qualinet_runs_without_slot', { workspace, labels: 'eu' })).toBe(3);

    const take = async () => {
      const { body } = await poll(0);
      const [lease] = body['leases'] as { leaseId: string }[];
      return { leaseId: lease?.leaseId ?? '' };
    };
    const params = await take();
    await client.call('heartbeat', { params, body: { fence: 1, nodeId: null } });
    const event = (seq: number) => ({ seq, at, event: { type: 'step_start', nodeId: 'a' } as const });
    await client.call('postEvents', { params, body: { fence: 1, events: [event(1), event(2)] } });
    await client.call('requestUpload', {
      params,
      body: { fence: 1, nodeId: 'a', contentType: 'image/png', bytes: 3, sha256: 'a'.repeat(64) },
    });
    const busy = await until('the runner is busy', async () => {
      const now = await scrape();
      return now.value('qualinet_runners', { workspace, state: 'busy' }) === 1 ? now : null;
    });
    expect(busy.value('qualinet_runner_slots', { workspace })).toBe(1);
    expect(busy.value('qualinet_runner_slots_free', { workspace })).toBe(0);
    expect(busy.value('qualinet_leases', { state: 'leased' })).toBe(1);
    await client.call('postResult', {
      params,
      body: {
        fence: 1,
        result: { status: 'passed', durationMs: 1_500, stepsResult: [] },
        lastEvents: [event(3)],
      },
    });
    const handedBack = await take();
    await client.call('releaseLease', { params: handedBack, body: { fence: 1, reason: 'cannot_start' } });
    const last = await take();
    await client.call('heartbeat', { params: last, body: { fence: 1, nodeId: null } });
    expect((await poll(0)).body['leases']).toEqual([]);
    expect((await poll(0, { protocol: protocolVersion + 1 })).status).toBe(426);

    const now = await scrape();
    const grown = (name: string, labels?: Record<string, string>) =>
      now.value(name, labels) - before.value(name, labels);
    expect(grown('qualinet_polls_total', { outcome: 'runs' })).toBe(3);
    expect(grown('qualinet_polls_total', { outcome: 'empty' })).toBe(1);
    expect(grown('qualinet_polls_total', { outcome: 'refused' })).toBe(1);
    expect(grown('qualinet_events_received_total')).toBe(3);
    expect(grown('qualinet_uploads_presigned_total')).toBe(1);
    expect(grown('qualinet_runs_finished_total', { status: 'passed' })).toBe(1);
    expect(grown('qualinet_run_duration_seconds_sum')).toBe(1.5);
    expect(grown('qualinet_run_duration_seconds_bucket', { le: '1' })).toBe(0);
    expect(grown('qualinet_run_duration_seconds_bucket', { le: '2.5' })).toBe(1);
    expect(grown('qualinet_run_queue_wait_seconds_count')).toBe(1);
    expect(grown('qualinet_leases_returned_total', { reason: 'cannot_start' })).toBe(1);
    expect(grown('qualinet_http_requests_total', { route: 'submitRun', status: '2xx' })).toBe(3);
    expect(grown('qualinet_http_requests_total', { route: 'pollLeases', status: '4xx' })).toBe(1);
    expect(grown('qualinet_http_request_duration_seconds_count', { route: 'submitRun' })).toBe(3);
    expect(now.value('qualinet_http_request_duration_seconds_count', { route: 'pollLeases' })).toBe(0);
  });

  it('shows polls that wait, and counts one whose poller has gone', async () => {
    const { url, adminToken } = fixture.bridge;
    const { client } = await pairRunner(url, adminToken, { workspace: 'waits' });
    const before = (await scrape()).value('qualinet_polls_total', { outcome: 'gone' });
    const gone = new AbortController();
    const poll = client
      .send('pollLeases', {
        body: { slots: 1, waitMs: 20_000, capabilities: testCapabilities },
        signal: gone.signal,
      })
      .catch(() => null);
    await until('the poll waits', async () => (await scrape()).value('qualinet_polls_waiting') === 1);
    gone.abort();
    await poll;
    await until('the poll is over', async () => (await scrape()).value('qualinet_polls_waiting') === 0);
    const after = await scrape();
    expect(after.value('qualinet_polls_total', { outcome: 'gone' })).toBe(before + 1);
    expect(after.value('qualinet_http_requests_total', { route: 'pollLeases', status: 'gone' })).toBe(1);
  });

  it('counts what no route takes as none, whatever its address', async () => {
    const { url } = fixture.bridge;
    const none = async () =>
      (await scrape()).value('qualinet_http_requests_total', { route: 'none', status: '4xx' });
    const before = await none();
    for (let tries = 0; tries < 3; tries += 1) await request(url, 'GET', `/${randomUUID()}`);
    expect(await none()).toBe(before + 3);
  });

  it('needs no token from near, and a right one where one is given', async () => {
    const { url, adminToken } = fixture.bridge;
    expect((await request(url, 'GET', '/metrics')).status).toBe(200);
    expect((await request(url, 'GET', '/metrics', undefined, adminToken)).status).toBe(200);
    expect(await request(url, 'GET', '/metrics', undefined, new Secret('wrong'))).toMatchObject({
      status: 401,
      body: { code: 'token_refused' },
    });
  });

  it('needs the token over HTTP/1.0, as a proxy speaks it that adds no header', async () => {
    const { hostname, port } = new URL(fixture.bridge.url);
    const socket = connect(Number(port), hostname);
    socket.end('GET /metrics HTTP/1.0\r\nHost: bridge\r\n\r\n');
    const answer = Buffer.concat(await socket.toArray()).toString();
    expect(answer).toMatch(/^HTTP\/1\.[01] 401 /);
  });

  it.each([
    ...['x-forwarded-for', 'forwarded', 'via', 'x-real-ip', 'x-forwarded-host'],
    ...[
      'cf-connecting-ip',
      'true-client-ip',
      'x-client-ip',
      'x-cluster-client-ip',
      'x-original-forwarded-for',
    ],
  ])('needs the token when the header %s says that a proxy stands between', async (header) => {
    const { url, adminToken } = fixture.bridge;
    const ask = async (more: Record<string, string>) =>
      (await fetch(`${url}/metrics`, { headers: { [header]: '10.0.0.1', ...more } })).status;
    expect(await ask({})).toBe(401);
    expect(await ask({ authorization: `Bearer ${adminToken.reveal()}` })).toBe(200);
  });
});

describe('/metrics of a bridge that knows its proxy', () => {
  it('needs the token from there, though it is near', async () => {
    const fixture = await bridgeFixture({ env: { QUALINET_TRUSTED_PROXIES: '127.0.0.1' } });
    try {
      const { url, adminToken } = fixture.bridge;
      expect((await request(url, 'GET', '/metrics')).status).toBe(401);
      expect((await request(url, 'GET', '/metrics', undefined, adminToken)).status).toBe(200);
    } finally {
      await fixture.end();
    }
  });
});

describe('an address', () => {
  const isNear = (remoteAddress: string | undefined, proxies: string[] = []) =>
    nearness(proxies)({ socket: { remoteAddress }, headers: {}, raw: { httpVersion: '1.1' } } as never);

  it.each([
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.4.5',
    '::ffff:10.1.2.3',
    'fd12::1',
  ])('%s is near', (address) => expect(isNear(address)).toBe(true));
  it.each([
    '8.8.8.8',
    '172.32.0.1',
    '169.254.169.254',
    '::ffff:8.8.8.8',
    '2001:db8::1',
    'fe80::1%eth0',
    undefined,
  ])('%s is not', (address) => expect(isNear(address)).toBe(false));
  it('of a known proxy is not', () => {
    expect(isNear('10.1.2.3', ['10.1.0.0/16'])).toBe(false);
    expect(isNear('::ffff:10.1.2.3', ['10.1.0.0/16'])).toBe(false);
    expect(isNear('10.2.2.3', ['10.1.0.0/16', 'fd00::/8'])).toBe(true);
  });
});
