import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { backendDatabase, onServer } from '../../support/backend-database.ts';
import { type PlayedBackend, playBackend, simpleFlow } from '../../support/played-backend.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import {
  type QuickRunner,
  quickRunner,
  type ServersBridge,
  serversBridge,
} from '../../support/servers-bridge.ts';
import { until } from '../../support/until.ts';

let redis: RedisServer;
let database: Awaited<ReturnType<typeof backendDatabase>>;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis?.remove());

describe('a bridge', () => {
  let fixture: ServersBridge;
  let backend: PlayedBackend;
  let other: PlayedBackend;
  let runner: QuickRunner;
  beforeEach(async () => {
    database = await backendDatabase();
    const servers = { redisUrl: redis.url, databaseUrl: database.url };
    const [queue, otherQueue] = [`q${randomUUID()}`, `q${randomUUID()}`];
    fixture = await serversBridge({ ...servers, queues: [queue, otherQueue] });
    backend = await playBackend({ ...servers, queue });
    other = await playBackend({ ...servers, queue: otherQueue });
    runner = await quickRunner(fixture);
  });
  afterEach(async () => {
    await backend?.close();
    await other?.close();
    await fixture?.end();
    await database?.drop();
  });
  const isKnown = (runId: string) => async () =>
    (await backend.query('select 1 from qualinet.leases where run_id = $1', [runId])).length === 1;
  const emoji = '\u{1f600}';

  it('ends a run that waits when another job of it finds that its flow has become one that cannot run', async () => {
    const { runId, job } = await backend.start();
    await until('it waits', isKnown(runId));
    await backend.query(`update runs set snapshot_nodes = '{}' where id = $1`, [runId]);
    const again = await backend.add({ runId });
    for (const one of [job, again]) {
      expect(await backend.end(one)).toHaveProperty(
        'failedReason',
        expect.stringContaining('snapshot_nodes: '),
      );
    }
    expect(await backend.row(runId)).toMatchObject({ status: 'failed' });
  });

  it('writes the problems of a flow whose texts end within a character when they are cut', async () => {
    const id = 'a'.repeat(199) + emoji;
    const nodes = [...simpleFlow.nodes, { id, type: `${'t'.repeat(99)}${emoji}` }];
    const edges = [...simpleFlow.edges, { source: 'buy', target: id }];
    const { runId, job } = await backend.start({}, { flow: { nodes, edges } });
    expect(await backend.end(job)).toHaveProperty(
      'failedReason',
      expect.stringContaining('The flow cannot run'),
    );
    expect(await backend.row(runId)).toMatchObject({ status: 'failed' });
  });

  it('says of variables that the database cannot keep that they are wrong, and nothing else of them', async () => {
    const { runId, job } = await backend.start({ variables: { PASSWORD: 'secret\ud800' } });
    const { failedReason } = (await backend.end(job)) as { failedReason: string };
    expect(failedReason).toMatch(/^the job's data are wrong: variables/);
    expect(failedReason).not.toContain('secret');
    expect(await backend.row(runId)).toMatchObject({ status: 'failed' });
  });

  it('settles jobs of one run that have the same id in two queues, both at once', async () => {
    const { runId, job } = await backend.start({}, { jobId: 'the-run' });
    const twin = await other.add({ runId }, { jobId: 'the-run' });
    await until('both are held', async () =>
      (await Promise.all([backend, other].map(({ queue }) => queue.getActiveCount()))).every((n) => n === 1),
    );
    await runner.work(1);
    expect(await backend.end(job, 1_000)).toHaveProperty('returnvalue.status', 'passed');
    expect(await other.end(twin, 1_000)).toHaveProperty('returnvalue.status', 'passed');
  });

  it('takes other jobs while it holds many of one run that executes', async () => {
    const { runId } = await backend.start();
    const lease = await runner.take();
    await backend.queue.addBulk(Array.from({ length: 60 }, () => ({ name: 'execute', data: { runId } })));
    const next = await backend.start();
    const second = await quickRunner(fixture);
    expect(await second.poll(1, 5_000)).toMatchObject([{ runId: next.runId }]);
    await runner.finish(lease);
  });

  it('says that a row has no status, and not that it was deleted', async () => {
    const { runId, job } = await backend.start();
    await until('it waits', isKnown(runId));
    await backend.query('update runs set status = null where id = $1', [runId]);
    expect(await backend.end(job)).toHaveProperty('failedReason', expect.stringContaining('status'));
  });

  it('leaves an end of the backend as it is that is committed while a runner takes the run', async () => {
    const { runId, job } = await backend.start();
    const [lease] = await runner.poll();
    if (lease === undefined) throw new Error('no run came');
    const transaction = new Client({ connectionString: database.url });
    await transaction.connect();
    await transaction.query('begin');
    await transaction.query(`update runs set status = 'cancelled' where id = $1`, [runId]);
    const beat = runner.beat(lease).catch(() => []);
    await until(
      'the heartbeat waits for the row',
      async () => (await backend.query(`select 1 from pg_locks where not granted`)).length > 0,
    );
    await transaction.query('commit');
    await transaction.end();
    await beat;
    expect(await backend.row(runId)).toMatchObject({ status: 'cancelled' });
    expect(await backend.end(job)).toHaveProperty('failedReason', expect.stringContaining('cancelled'));
  });

  it('lets jobs wait while the database only lets itself be read', async () => {
    const name = new URL(database.url).pathname.slice(1);
    const admin = new URL(database.url);
    admin.pathname = '/postgres';
    const turn = async (setting: string) => {
      await onServer(admin.href, `alter database ${name} set default_transaction_read_only = ${setting}`);
      await onServer(
        admin.href,
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}' and application_name = 'qualinet-bridge'`,
      );
    };
    const runId = await backend.insert();
    await turn('on');
    const job = await backend.add({ runId });
    await until('it is taken', async () => ['active', 'failed'].includes(await job.getState()));
    await turn('off');
    expect(await runner.work(1)).toEqual([runId]);
    expect(await backend.end(job)).toHaveProperty('returnvalue.status', 'passed');
  });
});
