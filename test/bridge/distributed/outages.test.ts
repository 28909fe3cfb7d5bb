import { Redis } from 'ioredis';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import { updatesStream } from '../../../src/bridge/distributed/redis-events.ts';
import { jsonLog } from '../../../src/lib/log.ts';
import type { Lease } from '../../../src/protocol/messages.ts';
import type { RunUpdate } from '../../../src/protocol/run-result.ts';
import { backendDatabase, backendFlowId, onServer } from '../../support/backend-database.ts';
import { startPostgres } from '../../support/postgres-server.ts';
import { processExists } from '../../support/processes.ts';
import { startRedis } from '../../support/redis-server.ts';
import { enrolledRunner, sharedBridge } from '../../support/shared-bridge.ts';
import { type Answered, request, type SignedClient, testCapabilities } from '../../support/signed-client.ts';
import { descendants } from '../../support/system.ts';
import { until } from '../../support/until.ts';

const flow = {
  flowId: backendFlowId,
  nodes: [
    { id: 's', type: 'start' },
    { id: 'open', type: 'navigate', data: { url: 'https://example.test/' } },
  ],
  edges: [{ source: 's', target: 'open' }],
};
const at = '2026-11-24T10:00:00.000Z';
const started = { seq: 1, at, event: { type: 'step_start', nodeId: 'open' } };
const completed = {
  seq: 2,
  at,
  event: { type: 'step_complete', nodeId: 'open', status: 'passed', durationMs: 5 },
};
const passed = { status: 'passed', durationMs: 1, stepsResult: [] };

/** A backend of its own with one bridge and one runner. */
async function system(deps: { timing?: { sweepMs: number } } = {}) {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres({ durable: true })]);
  const database = await backendDatabase({ server: postgres.url });
  const lines: Record<string, unknown>[] = [];
  const servers = { databaseUrl: database.url, redisUrl: redis.url };
  const bridge = await sharedBridge(servers, {
    log: jsonLog((line) => lines.push(JSON.parse(line) as Record<string, unknown>)),
    ...deps,
  });
  onTestFinished(async () => {
    redis.thaw();
    await bridge.close();
    await Promise.all([redis.remove(), postgres.remove()]);
  });
  const { client } = await enrolledRunner(bridge);
  return { redis, postgres, servers, bridge, client, lines, ...runsOf(bridge, client) };
}

function runsOf(bridge: Bridge, client: SignedClient) {
  const operator = (method: string, path: string, body?: unknown): Promise<Answered> =>
    request(
      bridge.url,
      method,
      path,
      body === undefined ? undefined : JSON.stringify(body),
      bridge.adminToken,
    );
  const on = (name: 'heartbeat' | 'postEvents' | 'postResult', lease: Lease, more: object) =>
    client.send(name, { params: { leaseId: lease.leaseId }, body: { fence: lease.fence, ...more } });
  const beat = (lease: Lease) => on('heartbeat', lease, { nodeId: null });
  return {
    operator,
    beat,
    post: (lease: Lease, events: readonly object[]) => on('postEvents', lease, { events }),
    end: (lease: Lease, more: object = {}) => on('postResult', lease, { result: passed, ...more }),
    /** Queues a run and takes it. */
    async take(): Promise<Lease> {
      const submitted = await operator('POST', '/v1/runs', flow);
      expect(submitted.status, JSON.stringify(submitted.body)).toBe(200);
      const { leases } = await client.call('pollLeases', {
        body: { slots: 1, waitMs: 5_000, capabilities: testCapabilities },
      });
      const [lease] = leases as Lease[];
      if (lease === undefined) throw new Error('no run came');
      expect((await beat(lease)).status).toBe(200);
      return lease;
    },
  };
}

/** What is kept of a run's updates, as `type fence-seq`. */
async function updatesOf(redisUrl: string, runId: string): Promise<string[]> {
  const client = new Redis(redisUrl);
  try {
    const entries = await client.xrange(updatesStream(runId), '-', '+');
    return entries.map(([id, fields]) => `${(JSON.parse(fields[1] ?? '') as RunUpdate).type} ${id}`);
  } finally {
    client.disconnect();
  }
}

function expectUnavailable(answer: Answered): void {
  expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
}

async function timed<T>(work: Promise<T>): Promise<{ answer: T; tookMs: number }> {
  const beganMs = performance.now();
  return { answer: await work, tookMs: performance.now() - beganMs };
}

const messages = (lines: readonly Record<string, unknown>[]) => lines.map(({ message }) => message);
const outage = /a server that this bridge needs does not answer/;
const recovery = /all servers answer again/;

describe('while Redis is away', () => {
  it('runs are taken, kept and ended, and everything is told afterwards, once and in order', async () => {
    const { redis, take, beat, post, end, operator, lines } = await system();
    const before = await take();
    expect((await post(before, [started])).status).toBe(200);
    const within = await take();
    const still = await take();
    await redis.kill();
    const killedAtMs = performance.now();

    expect((await beat(before)).status).toBe(200);
    expect((await end(before, { lastEvents: [completed] })).body).toEqual({ status: 'passed' });
    expect((await operator('GET', `/v1/runs/${before.runId}`)).body).toMatchObject({ status: 'passed' });
    expect((await post(within, [started])).body).toEqual({ ackedSeq: 1 });
    expect((await post(within, [started, completed])).body).toEqual({ ackedSeq: 2 });
    expect((await end(within)).body).toEqual({ status: 'passed' });
    const silent = await take();
    expect((await end(silent)).body).toEqual({ status: 'passed' });
    expect((await post(still, [started])).body).toEqual({ ackedSeq: 1 });
    await until('the sweep has failed to tell, more than once', () => performance.now() - killedAtMs > 3_000);

    await redis.start();
    const whole = ['run_start 1-0', 'step_start 1-1', 'step_complete 1-2', 'run_complete 1-3'];
    const told = async (lease: Lease, length: number): Promise<string[]> =>
      until('it is told', async () => {
        const updates = await updatesOf(redis.url, lease.runId);
        return updates.length >= length && updates;
      });
    expect(await told(before, 4)).toEqual(whole);
    expect(await told(within, 4)).toEqual(whole);
    expect(await told(silent, 2)).toEqual(['run_start 1-0', 'run_complete 1-1']);
    expect(await told(still, 2)).toEqual(['run_start 1-0', 'step_start 1-1']);
    expect((await end(still, { lastEvents: [completed] })).body).toEqual({ status: 'passed' });
    expect(await told(still, 4)).toEqual(whole);
    await until('the recovery is told', () =>
      messages(lines).some((message) => recovery.test(String(message))),
    );
    expect(messages(lines).filter((message) => outage.test(String(message)))).toHaveLength(1);
    expect(messages(lines).filter((message) => /not be told|sweep/.test(String(message)))).toEqual([]);
  });

  it('what was late of one attempt is told before the next one begins', async () => {
    // Without sweeps, which tell it sooner or later.
    const { redis, bridge, client, take, post } = await system({ timing: { sweepMs: 600_000 } });
    const lease = await take();
    await redis.kill();
    expect((await post(lease, [started])).status).toBe(200);
    await redis.start();
    await until('Redis is back', async () => (await request(bridge.url, 'GET', '/readyz')).status === 200);
    expect(
      await client.send('releaseLease', {
        params: { leaseId: lease.leaseId },
        body: { fence: lease.fence, reason: 'interrupted' },
      }),
    ).toMatchObject({ status: 200 });
    const { leases } = await client.call('pollLeases', {
      body: { slots: 1, waitMs: 5_000, capabilities: testCapabilities },
    });
    expect(leases).toMatchObject([{ runId: lease.runId, fence: 2 }]);
    await client.call('heartbeat', { params: { leaseId: lease.leaseId }, body: { fence: 2, nodeId: null } });
    expect(await updatesOf(redis.url, lease.runId)).toEqual([
      ...['run_start 1-0', 'step_start 1-1', 'run_start 2-0'],
    ]);
  });

  it('the end of a run whose row was deleted is told afterwards, too', async () => {
    const { redis, servers, operator } = await system();
    const { runId } = (await operator('POST', '/v1/runs', flow)).body as { runId: string };
    await redis.kill();
    await onServer(servers.databaseUrl, `delete from runs where id = '${runId}'`);
    const rows = async (condition: string) => {
      const sql = new Client({ connectionString: servers.databaseUrl });
      await sql.connect();
      const found = await sql.query(
        `select 1 from qualinet.leases where run_id = '${runId}' and ${condition}`,
      );
      await sql.end();
      return found.rows.length === 1;
    };
    await until('it is over', () => rows(`state = 'cancelled'`));
    await redis.start();
    await until('its end is told', async () => (await updatesOf(redis.url, runId)).length > 0, 8_000);
    expect(await updatesOf(redis.url, runId)).toEqual(['run_complete 0-1']);
    await until('that is noted', () => rows('not untold'));
  });

  it('one that is full takes no events, and the runs go on', async () => {
    const { redis, take, post, end } = await system();
    const lease = await take();
    const commands = new Redis(redis.url);
    onTestFinished(() => commands.disconnect());
    await commands.config('SET', 'maxmemory', '1');
    expect((await post(lease, [started])).body).toEqual({ ackedSeq: 1 });
    expect((await end(lease, { lastEvents: [completed] })).body).toEqual({ status: 'passed' });
    await commands.config('SET', 'maxmemory', '0');
    await until('all is told', async () => (await updatesOf(redis.url, lease.runId)).length === 4, 8_000);
  });

  it('a bridge that takes over tells what another one could not', async () => {
    const { redis, servers, bridge, take, post } = await system();
    const lease = await take();
    await redis.kill();
    expect((await post(lease, [started])).status).toBe(200);
    await bridge.close();
    await redis.start();
    const other = await sharedBridge(servers);
    onTestFinished(() => other.close());
    await until('it is told', async () => (await updatesOf(redis.url, lease.runId)).length === 2);
    expect(await updatesOf(redis.url, lease.runId)).toEqual(['run_start 1-0', 'step_start 1-1']);
  });

  it('a frozen one holds no request up for long, and works again soon after it thaws', async () => {
    const { redis, servers, take, beat, post, end, operator } = await system();
    const other = await sharedBridge(servers);
    onTestFinished(() => other.close());
    const lease = await take();
    redis.freeze();
    const frozenAtMs = performance.now();
    do {
      const answers = await Promise.all([timed(beat(lease)), timed(post(lease, [started]))]);
      expect(answers.map(({ answer }) => answer.status)).toEqual([200, 200]);
      expect(Math.max(...answers.map(({ tookMs }) => tookMs))).toBeLessThan(10_000);
    } while (performance.now() - frozenAtMs < 12_000);
    redis.thaw();

    const updates: string[] = [];
    const stream = async (): Promise<void> => {
      const response = await fetch(`${other.url}/v1/runs/${lease.runId}/events`, {
        headers: { authorization: `Bearer ${other.adminToken.reveal()}` },
      });
      for await (const chunk of response.body ?? [])
        updates.push(Buffer.from(chunk as Uint8Array).toString());
    };
    await until(
      'the late event is told',
      async () => (await updatesOf(redis.url, lease.runId)).length === 2,
      8_000,
    );
    const reading = stream();
    await until('the other bridge tells what was', () => updates.join('').includes('step_start'));
    expect((await post(lease, [completed])).status).toBe(200);
    // A stream that hears no hint looks again after 5 s.
    await until('the other bridge hears of it', () => updates.join('').includes('step_complete'), 3_000);
    expect((await end(lease)).status).toBe(200);
    await reading;
    expect(await updatesOf(redis.url, lease.runId)).toEqual([
      ...['run_start 1-0', 'step_start 1-1', 'step_complete 1-2', 'run_complete 1-3'],
    ]);
    expect((await operator('GET', `/v1/runs/${lease.runId}`)).body).toMatchObject({ status: 'passed' });
  }, 40_000);
});

describe('while PostgreSQL is away', () => {
  it('everything is answered with 503 and Retry-After, told once, and goes on afterwards', async () => {
    const { postgres, redis, take, beat, post, end, operator, lines } = await system();
    const lease = await take();
    await Promise.all(Array.from({ length: 10 }, () => operator('GET', '/v1/runs')));
    await postgres.kill();
    for (let time = 0; time < 3; time += 1) {
      for (const answer of await Promise.all([
        ...[beat(lease), post(lease, [started]), end(lease)],
        ...[operator('GET', '/v1/runs'), operator('POST', '/v1/runs', flow), operator('GET', '/readyz')],
      ])) {
        expectUnavailable(answer);
      }
    }
    await postgres.start();
    await until('it answers again', async () => (await beat(lease)).status === 200);
    expect((await post(lease, [started, completed])).status).toBe(200);
    expect((await end(lease)).body).toEqual({ status: 'passed' });
    expect(await updatesOf(redis.url, lease.runId)).toEqual([
      ...['run_start 1-0', 'step_start 1-1', 'step_complete 1-2', 'run_complete 1-3'],
    ]);
    await until('the recovery is told', () =>
      messages(lines).some((message) => recovery.test(String(message))),
    );
    expect(messages(lines).filter((message) => outage.test(String(message)))).toHaveLength(1);
    expect(messages(lines).filter((message) => message === 'connections to PostgreSQL broke')).toHaveLength(
      1,
    );
    expect(JSON.stringify(lines)).not.toContain('example.test');
  });

  it('a frozen one holds no request up for ever, and works again soon after it thaws', async () => {
    const { postgres, take, beat, end } = await system();
    const lease = await take();
    const processes = [postgres.pid(), ...(await descendants(postgres.pid()))];
    const all = (signal: NodeJS.Signals): void => {
      for (const pid of processes.filter(processExists)) process.kill(pid, signal);
    };
    onTestFinished(() => all('SIGCONT'));
    all('SIGSTOP');
    const frozenAtMs = performance.now();
    do {
      const { answer, tookMs } = await timed(beat(lease));
      expectUnavailable(answer);
      expect(tookMs).toBeLessThan(12_000);
    } while (performance.now() - frozenAtMs < 12_000);
    all('SIGCONT');
    await until('it answers again', async () => (await beat(lease)).status === 200, 8_000);
    expect((await end(lease)).body).toEqual({ status: 'passed' });
  }, 60_000);
});
