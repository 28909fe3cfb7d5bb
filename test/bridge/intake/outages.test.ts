import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startProgram } from '../../../src/demo/child-program.ts';
import type { Log } from '../../../src/lib/log.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { backendDatabase, onServer } from '../../support/backend-database.ts';
import { type PlayedBackend, playBackend } from '../../support/played-backend.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres-server.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { freePort } from '../../support/server-programs.ts';
import {
  type QuickRunner,
  quickRunner,
  type ServersBridge,
  serversBridge,
} from '../../support/servers-bridge.ts';
import { sharedSecrets } from '../../support/shared-bridge.ts';
import { bridgeProgram, programEnv } from '../../support/system.ts';
import { until } from '../../support/until.ts';

const queue = 'runs';
let redis: RedisServer;
let database: Awaited<ReturnType<typeof backendDatabase>>;
let backend: PlayedBackend;
beforeEach(async () => {
  [redis, database] = await Promise.all([startRedis(), backendDatabase()]);
  backend = await playBackend({ redisUrl: redis.url, databaseUrl: database.url, queue });
});
afterEach(async () => {
  await backend?.close();
  await database?.drop();
  await redis?.remove();
});

const started = async (count: number) => Promise.all(Array.from({ length: count }, () => backend.start()));
const allActive = (count: number) => async () => (await backend.queue.getActiveCount()) === count;

describe('when Redis is restarted while jobs are held', () => {
  let fixture: ServersBridge;
  let runner: QuickRunner;
  const told: string[] = [];
  const log: Log = {
    ...silentLog,
    warn: (message) => void told.push(message),
    info: (message) => void told.push(message),
  };
  beforeEach(async () => {
    told.length = 0;
    fixture = await serversBridge({ redisUrl: redis.url, databaseUrl: database.url, queues: [queue], log });
    runner = await quickRunner(fixture);
  });
  afterEach(() => fixture?.end());

  it('every run ends once, also those whose result came meanwhile, and the outage is told once', async () => {
    const runs = await started(6);
    await until('they are held', allActive(6));
    const first = await runner.take();
    await redis.kill();
    // The row does not need Redis.
    await runner.finish(first);
    expect(await backend.row(first.runId)).toMatchObject({ status: 'passed' });
    await until('the outage was told', () =>
      told.some((line) => line.includes('the intake from queue "runs"')),
    );
    await redis.start();
    const rest = await runner.work(5);
    expect(new Set([first.runId, ...rest]).size).toBe(6);
    for (const { runId } of runs) expect(await backend.row(runId)).toMatchObject({ status: 'passed' });
    await until(
      'every job is completed',
      async () => (await backend.queue.getCompletedCount()) === 6,
      20_000,
    );
    expect(await backend.queue.getFailedCount()).toBe(0);
    const about = told.filter((line) => line.includes('the intake from queue "runs"'));
    expect(about).toEqual([
      'the intake from queue "runs" cannot reach its server',
      'the intake from queue "runs" works again',
    ]);
    expect(await backend.query('select count(*)::int as n from qualinet.leases where fence > 1')).toEqual([
      { n: 0 },
    ]);
  });

  it('new jobs come in afterwards', async () => {
    await redis.kill();
    await redis.start();
    const { runId, job } = await backend.start();
    expect(await runner.work(1)).toEqual([runId]);
    await until('the job is completed', async () => (await job.getState()) === 'completed');
  });

  it('a Redis that stops answering for longer than the locks last changes nothing for the runs', async () => {
    const runs = await started(4);
    await until('they are held', allActive(4));
    const first = await runner.take();
    redis.freeze();
    const thawsAt = performance.now() + 2_500;
    await until('the locks have run out', () => performance.now() > thawsAt);
    redis.thaw();
    await runner.finish(first);
    await runner.work(3);
    await until(
      'every job is completed',
      async () => (await backend.queue.getCompletedCount()) === 4,
      20_000,
    );
    for (const { runId } of runs) expect(await backend.row(runId)).toMatchObject({ status: 'passed' });
  });
});

describe('when PostgreSQL is away as a job comes', () => {
  let postgres: PostgresServer;
  let own: Awaited<ReturnType<typeof backendDatabase>>;
  beforeAll(async () => {
    postgres = await startPostgres();
    own = await backendDatabase({ server: postgres.url });
  });
  afterAll(() => postgres?.remove());

  it('the job waits for it, and fails for nothing', async () => {
    const fixture = await serversBridge({ redisUrl: redis.url, databaseUrl: own.url, queues: [queue] });
    try {
      const runner = await quickRunner(fixture);
      const runId = '7b0f0f1f-0000-4000-8000-00000000000b';
      await onServer(
        own.url,
        `insert into runs (id, flow_id, snapshot_nodes, snapshot_edges)
         values ('${runId}', (select id from flows), '[{"id":"s","type":"start"}]', '[]')`,
      );
      await postgres.stop();
      const job = await backend.add({ runId });
      await until('it was taken', allActive(1));
      await postgres.start();
      expect(await runner.work(1)).toEqual([runId]);
      expect(await backend.end(job)).toHaveProperty('returnvalue.status', 'passed');
    } finally {
      await fixture.end();
    }
  });
});

describe('when a bridge is killed while it holds jobs', () => {
  it('another one has them when their locks have run out, and the runs go on', async () => {
    const [port, dataDir] = await Promise.all([freePort(), mkdtemp(join(tmpdir(), 'qualinet-killed-'))]);
    const killed = startProgram(bridgeProgram, ['serve'], {
      env: programEnv({
        ...sharedSecrets,
        PORT: String(port),
        QUALINET_DATA_DIR: dataDir,
        DATABASE_URL: database.url,
        REDIS_URL: redis.url,
        QUALINET_QUEUES: queue,
      }),
    });
    const fixture = await serversBridge({
      redisUrl: redis.url,
      databaseUrl: database.url,
      queues: ['another'],
    });
    let heir: ServersBridge | null = null;
    try {
      await until('it answers', async () =>
        fetch(`http://127.0.0.1:${port}/healthz`).then(
          ({ ok }) => ok,
          () => null,
        ),
      );
      const runs = await started(5);
      await until('they are held', allActive(5));
      const runner = await quickRunner(fixture);
      const lease = await runner.take();
      killed.process.kill('SIGKILL');
      heir = await serversBridge({ redisUrl: redis.url, databaseUrl: database.url, queues: [queue] });
      await runner.finish(lease);
      const rest = await runner.work(4);
      expect(new Set([lease.runId, ...rest]).size).toBe(5);
      for (const { job } of runs)
        expect(await backend.end(job, 40_000)).toHaveProperty('returnvalue.status', 'passed');
      expect(await backend.query('select count(*)::int as n from qualinet.leases where fence > 1')).toEqual([
        { n: 0 },
      ]);
    } finally {
      killed.process.kill('SIGKILL');
      await heir?.end();
      await fixture.end();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
