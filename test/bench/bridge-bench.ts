import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Secret } from '../../src/lib/secret.ts';
import { deriveKey, type KeyName, keyidOf } from '../../src/protocol/keys.ts';
import { limits } from '../../src/protocol/limits.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { backendDatabase, backendFlowId } from '../support/backend-database.ts';
import { chain } from '../support/chain.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { startRedis } from '../support/redis-server.ts';
import { type BridgeProcess, startSharedBridge, workerSecret } from '../support/system.ts';
import { until } from '../support/until.ts';
import { pidOf, processorMs, residentMb, startBenchProgram } from './bench-program.ts';
import { interleave, type Measured } from './interleave.ts';
import type { OriginalOrder } from './original-worker.ts';
import type { FleetOrder } from './simulated-fleet.ts';

const flow = chain({ id: 'open', type: 'navigate', data: { url: 'https://example.test/' } });
const peerQueue = 'original-queue';

/** Servers of a backend (PostgreSQL with fsync, Redis with AOF) and one bridge process beside them. */
export interface BridgeBench {
  bridge: BridgeProcess;
  /** From adding a job to the run's arrival: one at a time, the original's design against the bridge and one runner. */
  measureArrival(rounds: number): Promise<Measured[]>;
  /** Time for `runs` runs that do nothing, from the first job added to the last row, 100 at a time on both sides. */
  measureDrain(runs: number, rounds: number): Promise<Measured[]>;
  /** Memory and processor share of the bridge while `polls` runners wait. */
  measureIdlePolls(polls: number, seconds: number): Promise<{ rssMb: number; corePercent: number }>;
  /** Events a second in batches of 50: plain pipelined PUBLISH, and through the bridge. */
  measureEvents(runners: number, seconds: number): Promise<{ publishPerS: number; bridgePerS: number }>;
  close(): Promise<void>;
}

export async function startBridgeBench(): Promise<BridgeBench> {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres({ durable: true })]);
  const database = await backendDatabase({ server: postgres.url });
  const servers = { databaseUrl: database.url, redisUrl: redis.url };
  const backend = await startBackend(servers);
  const peer = await startBackend({ ...servers, queueName: peerQueue });
  const bridge = await startSharedBridge(servers);

  const fleet = async (count: number, mode: FleetOrder['mode'], onLine: (line: string) => void) => {
    const keys = await enrolMany(backend, count);
    return startBenchProgram('simulated-fleet', { url: bridge.url, keys, mode } satisfies FleetOrder, onLine);
  };
  const original = (concurrency: number, onLine: (line: string) => void) =>
    startBenchProgram(
      'original-worker',
      { ...servers, queue: peerQueue, concurrency } satisfies OriginalOrder,
      onLine,
    );

  return {
    bridge,
    async measureArrival(rounds) {
      const arrivals = new Map<string, number>();
      const note = (line: string): void => {
        const [runId = '', at] = line.split(' ');
        arrivals.set(runId, Number(at));
      };
      const [worker, runner] = [await original(1, note), await fleet(1, 'runs', note)];
      const round = (side: Backend) => async (): Promise<number> => {
        const runId = await side.insertRun(flow);
        const addedAt = performance.timeOrigin + performance.now();
        await side.addJob(runId);
        return (await until('the run arrived', () => arrivals.get(runId) ?? null)) - addedAt;
      };
      try {
        return await interleave(
          [
            { name: "the original's design: a BullMQ worker with the database", round: round(peer) },
            { name: 'through the bridge, to a signed poll', round: round(backend) },
          ],
          rounds,
          { warmUp: 20, restMs: 20 },
        );
      } finally {
        await worker.end();
        await runner.end();
      }
    },
    async measureDrain(runs, rounds) {
      const ignore = (): void => {};
      const [worker, runners] = [await original(100, ignore), await fleet(100, 'runs', ignore)];
      const round = (side: Backend) => async (): Promise<number> => {
        const ids = await insertMany(side, runs);
        const startedAt = performance.now();
        await side.queue.addBulk(ids.map((runId) => ({ name: 'run', data: { runId } })));
        await until(
          'all runs have ended',
          async () => {
            const [row] = await side.sql<{ left: number }>(
              `select count(*)::int as left from runs where status <> 'passed'`,
            );
            await delay(20);
            return row?.left === 0;
          },
          300_000,
        );
        return performance.now() - startedAt;
      };
      try {
        return await interleave(
          [
            { name: "the original's design, concurrency 100", round: round(peer) },
            { name: 'one bridge, 100 runners', round: round(backend) },
          ],
          rounds,
          { warmUp: 1, restMs: 500 },
        );
      } finally {
        await worker.end();
        await runners.end();
      }
    },
    async measureIdlePolls(polls, seconds) {
      const runners = await fleet(polls, 'idle', () => {});
      try {
        const pid = pidOf(bridge.program.process);
        // All have connected, and the first polls have ended once.
        await delay(50_000);
        const [cpuBefore, startedAt] = [processorMs(pid), performance.now()];
        await delay(seconds * 1_000);
        const corePercent = (100 * (processorMs(pid) - cpuBefore)) / (performance.now() - startedAt);
        return { rssMb: residentMb(pid), corePercent };
      } finally {
        await runners.end();
      }
    },
    async measureEvents(count, seconds) {
      const publishPerS = await publishRate(redis.url, seconds);
      let told = 0;
      const runners = await fleet(count, 'events', () => {
        told += 50;
        // One more for each run whose events are all told.
        if (told % limits.eventsPerAttempt === 0) addRuns(1).catch(() => {});
      });
      const addRuns = async (runs: number): Promise<void> => {
        for (const runId of await insertMany(backend, runs)) await backend.addJob(runId);
      };
      try {
        await addRuns(count);
        await until('events flow', () => told > count * 50);
        const [before, startedAt] = [told, performance.now()];
        await delay(seconds * 1_000);
        return { publishPerS, bridgePerS: ((told - before) / (performance.now() - startedAt)) * 1_000 };
      } finally {
        await runners.end();
      }
    },
    async close() {
      await bridge.program.stop();
      await Promise.all([backend.close(), peer.close()]);
      await redis.remove();
      await postgres.remove();
    },
  };
}

// Rows instead of requests: what is measured is not how ten thousand runners introduce themselves.
async function enrolMany(backend: Backend, count: number): Promise<{ keyid: string; secret: string }[]> {
  const runnerIds = Array.from({ length: count }, () => randomUUID());
  await backend.sql(
    `with made as (
       insert into qualinet.runners (id, name, state, workspace, labels, mode, host, check_word, created_at, approved_at)
       select id, 'bench', 'approved', 'default', '{}', 'self-hosted', '{}', '', now(), now() from unnest($1::uuid[]) id
     )
     insert into qualinet.runner_keys (runner_id, generation, not_before, not_after, first_used_at)
     select id, 1, now(), now() + interval '1 day', now() from unnest($1::uuid[]) id`,
    [runnerIds],
  );
  return runnerIds.map((runnerId) => {
    const name: KeyName = { kind: 'runner', runnerId, generation: 1 };
    return { keyid: keyidOf(name), secret: deriveKey(new Secret(workerSecret), name).reveal() };
  });
}

async function insertMany(backend: Backend, count: number): Promise<string[]> {
  const rows = await backend.sql<{ id: string }>(
    `insert into runs (flow_id, snapshot_nodes, snapshot_edges)
     select $1::uuid, $2::jsonb, $3::jsonb from generate_series(1, $4) returning id`,
    [backendFlowId, JSON.stringify(flow.nodes), JSON.stringify(flow.edges), count],
  );
  return rows.map(({ id }) => id);
}

// The peer: what the original design would do with the same events, and no more.
async function publishRate(redisUrl: string, seconds: number): Promise<number> {
  const redis = new Redis(redisUrl);
  const payload = JSON.stringify({ type: 'step_complete', nodeId: 'node-1', status: 'passed' });
  const startedAt = performance.now();
  let told = 0;
  const publisher = async (): Promise<void> => {
    while (performance.now() - startedAt < seconds * 1_000) {
      const batch = redis.pipeline();
      for (let index = 0; index < 50; index += 1) batch.publish('run-updates:bench', payload);
      await batch.exec();
      told += 50;
    }
  };
  await Promise.all(Array.from({ length: 16 }, publisher));
  redis.disconnect();
  return told / seconds;
}
