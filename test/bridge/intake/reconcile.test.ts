import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Log, silentLog } from '../../../src/lib/log.ts';
import { backendDatabase } from '../../support/backend-database.ts';
import { type PlayedBackend, playBackend, simpleFlow } from '../../support/played-backend.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { quickRunner, type ServersBridge, serversBridge } from '../../support/servers-bridge.ts';
import { until } from '../../support/until.ts';

const minuteMs = 60_000;
let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis?.remove());

describe('runs that are queued in the table', () => {
  let database: Awaited<ReturnType<typeof backendDatabase>>;
  let backend: PlayedBackend;
  let queue: string;
  const bridges: ServersBridge[] = [];
  const told: { message: string; fields: unknown }[] = [];
  const log: Log = { ...silentLog, warn: (message, fields) => void told.push({ message, fields }) };
  beforeEach(async () => {
    told.length = 0;
    database = await backendDatabase();
    queue = `q${randomUUID()}`;
    backend = await playBackend({ redisUrl: redis.url, databaseUrl: database.url, queue });
  });
  afterEach(async () => {
    await backend?.close();
    await Promise.all(bridges.splice(0).map((fixture) => fixture.end()));
    await database?.drop();
  });
  async function bridge(intakeTimes: object = {}): Promise<ServersBridge> {
    const fixture = await serversBridge({
      ...{ redisUrl: redis.url, databaseUrl: database.url, queues: [queue], log },
      intakeTimes: { reconcileMs: 300, reconcileConfirmMs: 50, ...intakeTimes },
    });
    bridges.push(fixture);
    return fixture;
  }
  /** Resolves after the bridges have looked several times. */
  async function looks(): Promise<void> {
    const seen = new Set<string>();
    await until('the bridges have looked', async () => {
      const [row] = await backend.query(`select at::text from qualinet.marks where name = 'reconciled'`);
      if (row !== undefined) seen.add(String(row['at']));
      return seen.size > 4;
    });
  }
  const warned = (text: string) => told.filter(({ message }) => message.includes(text));

  it.each([
    ['a flow that cannot run', { nodes: [{ id: 'x', type: 'no such type' }], edges: [] }, 'failed'],
    ['a job that could not be used', simpleFlow, 'passed'],
  ] as const)(
    'and were left by a bridge that was killed while it ended them for %s, are ended when Redis loses the job',
    async (_, flow, status) => {
      const runner = await quickRunner(await bridge());
      const runId = randomUUID();
      await backend.query(
        `insert into qualinet.leases (id, run_id, workspace, labels, priority, variables, on_redelivery, state, queued_at,
           available_at)
         values ($1, $2, 'default', '{}', 0, '{}', 'rerun', 'ready', now(), 'infinity')`,
        [randomUUID(), runId],
      );
      await backend.insert({ id: runId, flow, agoMs: 2 * minuteMs });
      if (status === 'passed') await runner.work(1);
      await until('the run is over', async () => (await backend.row(runId))?.status === status, 8_000);
    },
  );

  it('and have lost their job get one again, at the start of a bridge and later', async () => {
    const before = await backend.insert({ agoMs: 2 * minuteMs });
    const runner = await quickRunner(await bridge());
    expect(await runner.work(1)).toEqual([before]);
    const later = await backend.insert({ agoMs: 2 * minuteMs });
    expect(await runner.work(1)).toEqual([later]);
    await until('the jobs are completed', async () => (await backend.queue.getCompletedCount()) === 2);
    expect((await backend.queue.getCompleted()).map(({ id }) => id).sort()).toEqual([before, later].sort());
    expect(warned('their jobs were lost')).toHaveLength(2);
  });

  it('are left alone when they are too young, too old, not queued, or have a job in any state', async () => {
    await backend.queue.pause();
    const young = await backend.insert({ agoMs: minuteMs / 2 });
    const old = await backend.insert({ agoMs: 25 * 60 * minuteMs });
    const other = await backend.insert({ agoMs: 2 * minuteMs, status: 'running' });
    const withJobs = await Promise.all([1, 2, 3].map(() => backend.insert({ agoMs: 2 * minuteMs })));
    await backend.add({ runId: withJobs[0] });
    await backend.add({ runId: withJobs[1]?.toUpperCase() }, { priority: 4 });
    await backend.add({ runId: withJobs[2] }, { delay: 60 * minuteMs });
    await bridge();
    await looks();
    for (const runId of [young, old, other, ...withJobs])
      expect(await backend.queue.getJob(runId)).toBeUndefined();
    expect(told).toEqual([]);
  });

  it('are looked for by one bridge at a time', async () => {
    await Promise.all([bridge(), bridge(), bridge()]);
    await backend.queue.pause();
    const runs = await Promise.all(Array.from({ length: 5 }, () => backend.insert({ agoMs: 2 * minuteMs })));
    await looks();
    expect((await backend.queue.getJobs(['waiting'])).map(({ id }) => id).sort()).toEqual(runs.sort());
    expect(warned('their jobs were lost')).toHaveLength(1);
  });

  it('and whose job failed before the row was there have that job retried, with all it says', async () => {
    const runId = randomUUID();
    const job = await backend.add({ runId, labels: ['gpu'], variables: { A: 'b' } });
    const fixture = await bridge({ rowWaitsMs: [10] });
    expect(await backend.end(job)).toHaveProperty(
      'failedReason',
      expect.stringContaining('is not in the table'),
    );
    await backend.insert({ id: runId, agoMs: 2 * minuteMs });
    const runner = await quickRunner(fixture, { labels: ['gpu'] });
    const lease = await runner.take();
    expect(lease).toMatchObject({ runId, variables: { A: 'b' } });
    await runner.finish(lease);
    await until('the job is completed', async () => (await job.getState()) === 'completed');
    expect(await backend.queue.getJob(runId)).toBeUndefined();
    expect(warned('were retried')).toHaveLength(1);
  });

  it('get their job again also when a finished one sits under the same id', async () => {
    const runId = randomUUID();
    const job = await backend.add({ runId: randomUUID() }, { jobId: runId });
    const fixture = await bridge({ rowWaitsMs: [10] });
    await backend.end(job);
    await backend.insert({ id: runId, agoMs: 2 * minuteMs });
    const runner = await quickRunner(fixture);
    expect(await runner.work(1)).toEqual([runId]);
  });

  it('are not given to a workspace that a bridge would have to guess', async () => {
    const fixture = await bridge();
    await quickRunner(fixture, { workspace: 'team-a' });
    const runId = await backend.insert({ agoMs: 2 * minuteMs });
    await until('it was told', () => warned('must not guess').length > 0);
    expect(warned('must not guess')[0]?.fields).toMatchObject({ runs: 1, runIds: [runId] });
    expect(await backend.queue.getJob(runId)).toBeUndefined();
  });

  it('are left alone when their job waits in a queue that other bridges take from', async () => {
    const servers = { redisUrl: redis.url, databaseUrl: database.url };
    const elsewhere = await playBackend({ ...servers, queue: `q${randomUUID()}` });
    await elsewhere.queue.pause();
    bridges.push(await serversBridge({ ...servers, queues: [elsewhere.queue.name] }));
    try {
      const runId = await elsewhere.insert({ agoMs: 2 * minuteMs });
      await elsewhere.add({ runId, labels: ['gpu'] });
      await backend.query('delete from qualinet.marks where name = $1', ['reconciled']);
      await bridge();
      await looks();
      expect(await backend.queue.getJob(runId)).toBeUndefined();
      expect(told).toEqual([]);
    } finally {
      await elsewhere.close();
    }
  });

  it('are looked for again after an outage of Redis, which is told once', async () => {
    const own = await startRedis();
    try {
      const fixture = await serversBridge({
        ...{ redisUrl: own.url, databaseUrl: database.url, queues: [queue], log },
        intakeTimes: { reconcileMs: 300, reconcileConfirmMs: 50 },
      });
      bridges.push(fixture);
      await looks();
      await own.kill();
      await looks();
      await looks();
      expect(warned('the search for lost jobs cannot reach its server')).toHaveLength(1);
      await own.start();
    } finally {
      await Promise.all(bridges.splice(0).map((fixture) => fixture.end()));
      await own.remove();
    }
  });

  it('go on without a job when they have a lease', async () => {
    const { runId, job } = await backend.start();
    const fixture = await bridge();
    await until('it is held', async () => (await backend.queue.getActiveCount()) === 1);
    await backend.query(`update runs set executed_at = now() - interval '2 minutes' where id = $1`, [runId]);
    await backend.queue.obliterate({ force: true });
    await looks();
    expect(await job.getState()).toBe('unknown');
    expect(await (await quickRunner(fixture)).work(1)).toEqual([runId]);
    expect(await backend.row(runId)).toMatchObject({ status: 'passed' });
  });
});
