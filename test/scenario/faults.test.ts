import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { type Backend, type BackendMessage, startBackend } from '../support/backend.ts';
import { backendDatabase } from '../support/backend-database.ts';
import { chain } from '../support/chain.ts';
import { type LoadBalancer, loadBalancer } from '../support/load-balancer.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { type SimulatedRunner, startSimulatedRunner } from '../support/simulated-runner.ts';
import { type BridgeProcess, startSharedBridge, workerSecret } from '../support/system.ts';
import { until } from '../support/until.ts';

// Servers and bridges that die in the middle of the work. Runners are many and have no browser; everything else is real.
// Whatever dies: each run ends once, and its updates are there, each once and in order.

const flow = chain(
  { id: 'open', type: 'navigate', data: { url: 'https://example.test/' } },
  { id: 'buy', type: 'click', data: { selector: '#buy' } },
);

/** Everything of one test, ended in reverse order. */
interface Scene {
  redis: RedisServer;
  postgres: PostgresServer;
  balancer: LoadBalancer;
  backend: Backend;
  databaseUrl: string;
  bridge(): Promise<BridgeProcess>;
  /** Starts runners; each waits for `goAhead` with every run it has taken. */
  runners(count: number, goAhead?: Promise<void>): Promise<SimulatedRunner[]>;
  /** Inserts rows, adds jobs and hears their channels. */
  enqueue(count: number): Promise<string[]>;
  passed(): Promise<number>;
}

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function scene(): Promise<Scene> {
  const [redis, postgres, balancer] = await Promise.all([
    startRedis(),
    startPostgres({ durable: true }),
    loadBalancer(),
  ]);
  undo.push(
    () => redis.remove(),
    () => postgres.remove(),
    () => balancer.close(),
  );
  const { url: databaseUrl } = await backendDatabase({ server: postgres.url });
  const servers = { databaseUrl, redisUrl: redis.url };
  const backend = await startBackend(servers);
  undo.push(() => backend.close());
  return {
    redis,
    postgres,
    balancer,
    backend,
    databaseUrl,
    async bridge() {
      const bridge = await startSharedBridge(servers, { PUBLIC_URL: balancer.url });
      undo.push(() => bridge.program.stop());
      return bridge;
    },
    async runners(count, goAhead = Promise.resolve()) {
      const started = await Promise.all(
        Array.from({ length: count }, () => startSimulatedRunner(balancer.url, workerSecret, { goAhead })),
      );
      undo.push(() => Promise.all(started.map((runner) => runner.stop())));
      return started;
    },
    async enqueue(count) {
      const runIds = await Promise.all(Array.from({ length: count }, () => backend.insertRun(flow)));
      await Promise.all(runIds.map((runId) => backend.subscribe(runId)));
      await Promise.all(runIds.map((runId) => backend.addJob(runId, {}, { jobId: runId })));
      return runIds;
    },
    async passed() {
      const [row] = await backend.sql<{ count: number }>(
        `select count(*)::int as count from runs where status = 'passed'`,
      );
      return row?.count ?? 0;
    },
  };
}

/** Waits for the last row and the last job, then looks at every run. */
async function expectEachEndedOnce(
  { backend, redis, passed }: Scene,
  runIds: readonly string[],
  { heardAll }: { heardAll: boolean },
): Promise<void> {
  await until('all rows are passed', async () => (await passed()) === runIds.length, 120_000);
  const unfinished = ['waiting', 'prioritized', 'active', 'delayed', 'failed'] as const;
  await until(
    'all jobs have ended',
    async () => {
      const counts = await backend.queue.getJobCounts('completed', ...unfinished);
      return counts['completed'] === runIds.length && unfinished.every((state) => counts[state] === 0);
    },
    120_000,
  );
  const reader = new Redis(redis.url);
  try {
    for (const runId of runIds) {
      const stream = await until(`the end of ${runId} was told`, async () => {
        const entries = await reader.xrange(`qualinet:events:${runId}`, '-', '+');
        const updates = entries.map(([, fields]) => JSON.parse(fields[1] ?? '') as BackendMessage);
        return updates.at(-1)?.type === 'run_complete' ? updates : null;
      });
      const last = stream.filter(({ fence }) => fence === stream.at(-1)?.['fence']);
      // The attempt that ended has everything: beginning, both events of both steps, end.
      expect(last.map(({ type, seq }) => `${seq} ${type}`)).toEqual([
        '0 run_start',
        '1 step_start',
        '2 step_complete',
        '3 step_start',
        '4 step_complete',
        '5 run_complete',
      ]);
      expect(stream.filter(({ type }) => type === 'run_complete')).toHaveLength(1);
      if (heardAll) expect(backend.messages.get(runId)).toEqual(stream);
      expect(backend.jobEnds.get(runId)?.length ?? 0).toBeLessThanOrEqual(1);
    }
  } finally {
    reader.disconnect();
  }
  await until('the rows say that all endings were told', async () => {
    const untold = await backend.sql('select 1 from qualinet.leases where untold');
    return untold.length === 0;
  });
}

describe('each run ends once, with all its updates in order,', () => {
  it('when Redis is killed and comes back', async () => {
    const all = await scene();
    all.balancer.use([(await all.bridge()).url]);
    await all.runners(10);
    const runIds = await all.enqueue(120);
    await until('some runs have ended', async () => (await all.passed()) >= 20);
    await all.redis.kill();
    await all.redis.start();
    await expectEachEndedOnce(all, runIds, { heardAll: false });
  });

  it('when PostgreSQL is restarted', async () => {
    const all = await scene();
    all.balancer.use([(await all.bridge()).url]);
    await all.runners(10);
    const runIds = await all.enqueue(120);
    await until('some runs have ended', async () => (await all.passed()) >= 20);
    await all.postgres.stop();
    await all.postgres.start();
    await expectEachEndedOnce(all, runIds, { heardAll: true });
  });

  it('when PostgreSQL is killed and recovers', async () => {
    const all = await scene();
    all.balancer.use([(await all.bridge()).url]);
    await all.runners(10);
    const runIds = await all.enqueue(120);
    await until('some runs have ended', async () => (await all.passed()) >= 20);
    await all.postgres.kill();
    await all.postgres.start();
    await expectEachEndedOnce(all, runIds, { heardAll: true });
  });

  it('when a bridge is killed while it holds 200 jobs', async () => {
    const all = await scene();
    const first = await all.bridge();
    all.balancer.use([first.url]);
    let goAhead = (): void => {};
    const gone = new Promise<void>((resolve) => {
      goAhead = resolve;
    });
    await all.runners(200, gone);
    const runIds = await all.enqueue(200);
    await until(
      'the bridge holds all jobs, and runners have all runs',
      async () => {
        const [row] = await all.backend.sql<{ leased: number }>(
          `select count(*)::int as leased from qualinet.leases where state = 'leased'`,
        );
        return row?.leased === runIds.length && (await all.backend.queue.getActiveCount()) === runIds.length;
      },
      60_000,
    );
    first.program.process.kill('SIGKILL');
    await first.program.ended;
    goAhead();
    all.balancer.use([(await all.bridge()).url]);
    await expectEachEndedOnce(all, runIds, { heardAll: true });
  });

  it('when one of two bridges is killed every few seconds, under 50 runners and 500 runs', async () => {
    const all = await scene();
    const bridges = [await all.bridge(), await all.bridge()];
    const balance = (): void => all.balancer.use(bridges.map(({ url }) => url));
    balance();
    await all.runners(50);
    const runIds = await all.enqueue(500);
    let kills = 0;
    // After every tenth part of the runs the older bridge dies and a new one takes its place.
    for (let part = 1; part <= 8; part += 1) {
      await until(`${part * 50} runs have ended`, async () => (await all.passed()) >= part * 50, 120_000);
      const oldest = bridges.shift();
      oldest?.program.process.kill('SIGKILL');
      await oldest?.program.ended;
      kills += 1;
      balance();
      bridges.push(await all.bridge());
      balance();
    }
    expect(kills).toBe(8);
    await expectEachEndedOnce(all, runIds, { heardAll: true });
  }, 300_000);
});
