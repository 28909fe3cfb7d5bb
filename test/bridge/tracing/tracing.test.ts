import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { jsonLog } from '../../../src/lib/log.ts';
import type { Lease } from '../../../src/protocol/messages.ts';
import { type BridgeFixture, bridgeFixture } from '../../support/bridge-fixture.ts';
import { type CollectedSpan, type Collector, startCollector } from '../../support/otlp-collector.ts';
import { freePort } from '../../support/server-programs.ts';
import { pairRunner, request, testCapabilities } from '../../support/signed-client.ts';
import { until } from '../../support/until.ts';

let fixture: BridgeFixture | null = null;
afterEach(async () => {
  await fixture?.end();
  fixture = null;
});

async function collector(options: { hangs?: boolean } = {}): Promise<Collector> {
  const started = await startCollector(options);
  onTestFinished(() => started.close());
  return started;
}

async function tracedBridge(env: Record<string, string>) {
  const lines: string[] = [];
  const started = await bridgeFixture({ env, log: jsonLog((line) => lines.push(line)) });
  fixture = started;
  const { bridge } = started;
  const { client, runnerId } = await pairRunner(bridge.url, bridge.adminToken);
  return {
    lines,
    runnerId,
    close: () => bridge.close(),
    /** Queues a run as a program that is traced itself, and takes it. */
    async take(headers: Record<string, string> = {}): Promise<Lease> {
      const response = await fetch(`${bridge.url}/v1/runs`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${bridge.adminToken.reveal()}`,
          'content-type': 'application/json',
          ...headers,
        },
        body: JSON.stringify({ ...flow, name: 'buy', variables: { PASSWORD: 'hunter2' } }),
      });
      expect(response.status).toBe(200);
      const { leases } = await client.call('pollLeases', {
        body: { slots: 1, waitMs: 5_000, capabilities: testCapabilities },
      });
      const [lease] = leases as Lease[];
      if (lease === undefined) throw new Error('no run came');
      await client.call('heartbeat', {
        params: { leaseId: lease.leaseId },
        body: { fence: lease.fence, nodeId: null },
      });
      return lease;
    },
    end: ({ leaseId, fence }: Lease, lastEvents: readonly object[] = steps()) =>
      client.call('postResult', { params: { leaseId }, body: { fence, result: failed, lastEvents } }),
    cancelRun: async (runId: string) =>
      request(bridge.url, 'POST', `/v1/runs/${runId}/cancel`, '{}', bridge.adminToken),
  };
}

const flow = {
  nodes: [
    { id: 's', type: 'start' },
    { id: 'open', type: 'navigate', data: { url: 'https://user:secret@example.test/' } },
    { id: 'buy', type: 'type', data: { selector: '#buy', value: '{{PASSWORD}}' } },
  ],
  edges: [
    { source: 's', target: 'open' },
    { source: 'open', target: 'buy' },
  ],
};
const failed = {
  status: 'failed',
  durationMs: 30,
  stepsResult: [
    { nodeId: 'open', type: 'navigate', status: 'passed', durationMs: 10, logs: 'Opened the page' },
    {
      nodeId: 'buy',
      type: 'type',
      status: 'failed',
      durationMs: 20,
      error: 'not found',
      errorKind: 'not_found',
    },
  ],
};

/** The step events of `failed`; `fromMs` is what the runner's clock says. */
function steps(fromMs = Date.now()) {
  const at = (afterMs: number) => new Date(fromMs + afterMs).toISOString();
  return [
    { seq: 1, at: at(0), event: { type: 'step_start', nodeId: 'open' } },
    {
      seq: 2,
      at: at(10),
      event: { type: 'step_complete', nodeId: 'open', status: 'passed', durationMs: 10 },
    },
    { seq: 3, at: at(11), event: { type: 'step_start', nodeId: 'buy' } },
    { seq: 4, at: at(31), event: { type: 'step_complete', nodeId: 'buy', status: 'failed', durationMs: 20 } },
  ];
}

const named = (spans: readonly CollectedSpan[], name: string): CollectedSpan => {
  const found = spans.filter((span) => span.name === name);
  if (found.length !== 1 || found[0] === undefined)
    throw new Error(`${found.length} spans are named ${name}`);
  return found[0];
};

function expectWithin(inner: CollectedSpan, outer: CollectedSpan): void {
  expect(inner.parentSpanId).toBe(outer.spanId);
  expect(inner.traceId).toBe(outer.traceId);
  expect(inner.startMs).toBeGreaterThanOrEqual(outer.startMs);
  expect(inner.endMs).toBeGreaterThanOrEqual(inner.startMs);
  expect(inner.endMs).toBeLessThanOrEqual(outer.endMs);
}

describe('a trace of a run', () => {
  it('goes from queued to result under the span of whoever queued it, with its steps, and holds no secret', async () => {
    const { url, spans, requests } = await collector();
    const { take, end, close, runnerId, lines } = await tracedBridge({
      OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/base/`,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=top%20secret',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
    });
    const traceId = 'af7651916cd43dd8448eb211c80319c0';
    const lease = await take({ traceparent: `00-${traceId}-b7ad6b7169203331-01` });
    await end(lease);
    await close();

    const run = named(spans, 'qualinet.run');
    const execute = named(spans, 'qualinet.execute');
    const queued = named(spans, 'qualinet.queued');
    expect(run).toMatchObject({
      traceId,
      parentSpanId: 'b7ad6b7169203331',
      status: { code: 2, message: 'not found' },
      attributes: {
        'qualinet.run.id': lease.runId,
        'qualinet.run.name': 'buy',
        'qualinet.run.status': 'failed',
        'qualinet.run.attempt': 1,
        'qualinet.run.labels': [],
        'qualinet.workspace': 'default',
        'qualinet.runner.id': runnerId,
        'error.type': 'not_found',
      },
      resource: {
        'service.name': 'qualinet-bridge',
        'service.instance.id': expect.stringContaining(`:${process.pid}`),
        'deployment.environment': 'test',
      },
    });
    expectWithin(queued, run);
    expectWithin(execute, run);
    expect(execute.startMs).toBe(queued.endMs);
    const [open, buy] = [named(spans, 'qualinet.step navigate'), named(spans, 'qualinet.step type')];
    for (const step of [open, buy]) expectWithin(step, execute);
    expect(buy.startMs).toBeGreaterThanOrEqual(open.endMs);
    expect(buy).toMatchObject({
      status: { code: 2, message: 'not found' },
      attributes: { 'qualinet.node.id': 'buy', 'error.type': 'not_found', 'qualinet.step.duration_ms': 20 },
    });
    expect(open.status.code ?? 0).toBe(0);
    expect(spans).toHaveLength(5);
    expect(requests[0]).toMatchObject({ path: '/base/v1/traces', headers: { 'x-api-key': 'top secret' } });
    expect(JSON.stringify(spans)).not.toMatch(/hunter2|secret|example\.test|#buy/);
    expect(lines.join('')).not.toMatch(/hunter2|secret|example\.test/);
  });

  it('begins anew without a traceparent, and is not recorded where the caller has said so', async () => {
    const { url, spans } = await collector();
    const { take, end, close } = await tracedBridge({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/v1/traces`,
    });
    const own = await take();
    await end(own);
    await end(await take({ traceparent: '00-af7651916cd43dd8448eb211c80319c0-b7ad6b7169203331-00' }));
    const broken = await take({ traceparent: 'nonsense' });
    await end(broken);
    await close();
    const runs = spans.filter(({ name }) => name === 'qualinet.run');
    expect(runs.map(({ attributes }) => attributes['qualinet.run.id'])).toEqual([own.runId, broken.runId]);
    expect(runs.map(({ parentSpanId }) => parentSpanId)).toEqual([undefined, undefined]);
  });

  it('keeps its steps in order within the run when the clock of the runner is another', async () => {
    const { url, spans } = await collector();
    const { take, end, close } = await tracedBridge({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
    await end(await take(), steps(Date.now() - 3_600_000));
    await close();
    const execute = named(spans, 'qualinet.execute');
    const [open, buy] = [named(spans, 'qualinet.step navigate'), named(spans, 'qualinet.step type')];
    for (const step of [open, buy]) expectWithin(step, execute);
    expect(open.startMs).toBe(execute.startMs);
    expect(buy.startMs).toBeGreaterThanOrEqual(open.endMs);
  });

  it('of one that no runner had is the time it waited', async () => {
    const { url, spans } = await collector();
    const { take, cancelRun, close } = await tracedBridge({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
    const { runId } = await take();
    await cancelRun(runId);
    const queued = await fetch(`${fixture?.bridge.url}/v1/runs`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${fixture?.bridge.adminToken.reveal()}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify(flow),
    });
    const waiting = ((await queued.json()) as { runId: string }).runId;
    await cancelRun(waiting);
    await close();
    expect(spans.map(({ name }) => name).sort()).toEqual(['qualinet.queued', 'qualinet.run']);
    expect(named(spans, 'qualinet.run')).toMatchObject({
      attributes: { 'qualinet.run.id': waiting, 'qualinet.run.status': 'cancelled' },
    });
  });
});

describe('a collector', () => {
  it('that is down changes nothing about runs, and is told once', async () => {
    const { take, end, lines, close } = await tracedBridge({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    });
    for (let time = 0; time < 3; time += 1) expect(await end(await take())).toEqual({ status: 'failed' });
    await until('it is told', () => lines.some((line) => line.includes('traces cannot be delivered')));
    const beganMs = performance.now();
    await close();
    expect(performance.now() - beganMs).toBeLessThan(4_500);
    expect(lines.filter((line) => line.includes('traces cannot be delivered'))).toHaveLength(1);
  });

  it('that never answers holds the end of a bridge up for 3 s at most', async () => {
    const { url, requests } = await collector({ hangs: true });
    const { take, end, close } = await tracedBridge({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
    expect(await end(await take())).toEqual({ status: 'failed' });
    const beganMs = performance.now();
    await close();
    const tookMs = performance.now() - beganMs;
    expect(requests.length).toBeGreaterThan(0);
    expect(tookMs).toBeGreaterThan(2_000);
    expect(tookMs).toBeLessThan(4_500);
  });
});
