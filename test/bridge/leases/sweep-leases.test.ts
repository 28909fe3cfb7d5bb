import { Client } from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { backendDatabase } from '../../support/backend-database.ts';
import { playBackend } from '../../support/played-backend.ts';
import { startRedis } from '../../support/redis-server.ts';
import { quickRunner, serversBridge } from '../../support/servers-bridge.ts';
import { until } from '../../support/until.ts';

it('a row that the backend has locked keeps no other run from its next runner', async () => {
  const [redis, database] = await Promise.all([startRedis(), backendDatabase()]);
  const servers = { redisUrl: redis.url, databaseUrl: database.url };
  const fixture = await serversBridge({
    ...{ ...servers, queues: ['q'] },
    timing: { sweepMs: 100, leaseTtlMs: 1_500, releaseGapMs: 100 },
  });
  const backend = await playBackend({ ...servers, queue: 'q' });
  const transaction = new Client({ connectionString: database.url });
  await transaction.connect();
  onTestFinished(async () => {
    await transaction.end();
    await backend.close();
    await fixture.end();
    await Promise.all([redis.remove(), database.drop()]);
  });
  const lost = await quickRunner(fixture);
  const locked = await backend.start();
  await lost.take();
  const other = await backend.start();
  await lost.take();
  await transaction.query('begin');
  await transaction.query('select from runs where id = $1 for update', [locked.runId]);

  const isWaiting = (runId: string) => async () =>
    (await backend.query(`select from qualinet.leases where run_id = $1 and state = 'ready'`, [runId]))
      .length === 1;
  await until('the other run waits again', isWaiting(other.runId), 5_000);
  expect(await isWaiting(locked.runId)()).toBe(false);
  await transaction.query('commit');
  await until('the locked one does, too', isWaiting(locked.runId), 5_000);
});
