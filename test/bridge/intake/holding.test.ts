import { randomUUID } from 'node:crypto';
import type { Job } from 'bullmq';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { backendDatabase } from '../../support/backend-database.ts';
import { drawnFlow } from '../../support/drawn-flow.ts';
import { type PlayedBackend, playBackend } from '../../support/played-backend.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { quickRunner, type ServersBridge, serversBridge } from '../../support/servers-bridge.ts';
import { operatorRequest } from '../../support/signed-client.ts';
import { until } from '../../support/until.ts';

let redis: RedisServer;
let database: Awaited<ReturnType<typeof backendDatabase>>;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis?.remove());

let queue: string;
let backend: PlayedBackend;
const bridges: ServersBridge[] = [];
beforeEach(async () => {
  // One of its own for each test: which runners are online counts for all of a database.
  database = await backendDatabase();
  queue = `q${randomUUID()}`;
});
afterEach(async () => {
  await backend?.close();
  await Promise.all(bridges.splice(0).map((fixture) => fixture.end()));
  await database?.drop();
});

async function bridge(queues: readonly string[] = [queue], more: object = {}): Promise<ServersBridge> {
  const servers = { redisUrl: redis.url, databaseUrl: database.url };
  const fixture = await serversBridge({ ...servers, queues, ...more });
  if (bridges.push(fixture) === 1) backend = await playBackend({ ...servers, queue });
  return fixture;
}

const starts = async (count: number, data: object = {}): Promise<{ runId: string; job: Job }[]> => {
  const started: { runId: string; job: Job }[] = [];
  for (let index = 0; index < count; index += 1) started.push(await backend.start(data));
  return started;
};
const active = () => backend.queue.getActiveCount();
const waiting = () => backend.queue.getWaitingCount();
/** Gives the bridges time to do what they must not do: several of their looks. */
const stays = async (what: string, count: () => Promise<number>, expected: number): Promise<void> => {
  const endsAt = performance.now() + 1_000;
  await until(`${what} stays`, async () => {
    expect(await count(), what).toBe(expected);
    return performance.now() > endsAt;
  });
};

describe('the cap on held jobs', () => {
  it('holds a few more than runners have, and goes on as they finish', async () => {
    const fixture = await bridge();
    const runner = await quickRunner(fixture);
    const first = await starts(1);
    const lease = await runner.take();
    const started = [...first, ...(await starts(59))];
    await until('one runs and the buffer is full', async () => (await active()) === 21);
    await stays('held jobs', active, 21);
    expect(await waiting()).toBe(39);
    const metrics = await (await fetch(`${fixture.bridge.url}/metrics`)).text();
    expect(metrics).toContain(`qualinet_jobs_waiting{queue="${queue}"} 39\n`);
    expect(metrics).toContain(`qualinet_jobs_held{queue="${queue}"} 21\n`);
    await runner.finish(lease);
    const done = [lease.runId, ...(await runner.work(59))];
    // Longest waiting first; those of the same millisecond have waited equally long.
    const addedAtMs = new Map(started.map(({ runId, job }) => [runId, job.timestamp]));
    expect(done.map((runId) => addedAtMs.get(runId))).toEqual(started.map(({ job }) => job.timestamp));
    expect(new Set(done).size).toBe(started.length);
    for (const { job } of started)
      expect(await backend.end(job)).toHaveProperty('returnvalue.status', 'passed');
    expect(await active()).toBe(0);
  });

  it('rises when polls come, also while it is reached', async () => {
    const fixture = await bridge();
    const busy = await quickRunner(fixture);
    // Few codes may be live at once.
    const runners = await Promise.all([1, 2, 3].map(() => quickRunner(fixture)));
    await starts(1);
    await busy.take();
    await starts(100);
    await until('the cap is reached', async () => (await active()) === 21);
    const polls = await Promise.all(runners.map((runner) => runner.poll(10)));
    // Polls that meet may leave each other some.
    expect(polls.flat().length).toBeGreaterThan(10);
    for (const [index, leases] of polls.entries()) {
      await Promise.all(leases.map((lease) => runners[index]?.beat(lease)));
    }
    const running = 1 + polls.flat().length;
    const held = await until('it has risen', async () => {
      const count = await active();
      return count >= running + 20 && count;
    });
    // A run that is granted may for a moment count beside the slot that it took: so many more at the most.
    expect(held).toBeLessThanOrEqual(running + 20 + polls.flat().length);
  });

  it('takes in what waits while nobody is there, so that it can be said why', async () => {
    const fixture = await bridge();
    const started = await starts(120);
    await until('all are held', async () => (await active()) === 120);
    const { body } = await operatorRequest(fixture.bridge, 'GET', `/v1/runs/${started.at(-1)?.runId}/why`);
    expect(body).toMatchObject({ runners: [] });
  });

  it('looks past runs that nobody who is there can take', async () => {
    const fixture = await bridge();
    const runner = await quickRunner(fixture);
    const blocked = await starts(90, { labels: ['mainframe'] });
    const elsewhere = await starts(30, { workspace: 'nobody-home' });
    const [mine] = await starts(1);
    const lease = await runner.take();
    expect(lease.runId).toBe(mine?.runId);
    await runner.finish(lease);
    expect(await backend.end(mine?.job as Job)).toHaveProperty('returnvalue.status', 'passed');
    for (const { job } of [...blocked, ...elsewhere]) expect(await job.isActive()).toBe(true);
  });

  it('lets an idle runner past runs of another workspace whose runners are busy', async () => {
    const fixture = await bridge();
    const [busy, idle] = await Promise.all([
      quickRunner(fixture, { workspace: 'busy' }),
      quickRunner(fixture),
    ]);
    await starts(60, { workspace: 'busy' });
    await busy.take();
    const [mine] = await starts(1);
    expect((await idle.take()).runId).toBe(mine?.runId);
  });

  it('is shared among queues, and none is left out', async () => {
    const other = `q${randomUUID()}`;
    const fixture = await bridge([queue, other]);
    const runner = await quickRunner(fixture);
    await starts(1);
    const busy = await runner.take();
    await starts(60);
    await until('the first queue has used the cap', async () => (await active()) === 21);
    const second = await playBackend({ redisUrl: redis.url, databaseUrl: database.url, queue: other });
    try {
      const { runId, job } = await second.start({ priority: 10 });
      await until('it is held', async () => (await second.queue.getActiveCount()) === 1);
      await runner.finish(busy);
      const lease = await runner.take();
      expect(lease.runId).toBe(runId);
      await runner.finish(lease);
      expect(await second.end(job)).toHaveProperty('returnvalue.runId', runId);
    } finally {
      await second.close();
    }
  });
});

describe('the order of runs', () => {
  it('is by priority across what BullMQ keeps and what is held', async () => {
    const fixture = await bridge();
    const runner = await quickRunner(fixture);
    await starts(1);
    const busy = await runner.take();
    await backend.queue.pause();
    const added: { runId: string; rank: number }[] = [];
    for (let index = 0; index < 60; index += 1) {
      const priority = [30, 0, 2, 5_000][index % 4] as number;
      const { runId } = await backend.start({}, priority === 0 ? {} : { priority });
      added.push({ runId, rank: priority });
    }
    await backend.queue.resume();
    await until('the cap is reached', async () => (await active()) === 21);
    expect(await backend.queue.getPrioritizedCount()).toBeGreaterThan(30);
    await runner.finish(busy);
    const done = await runner.work(60);
    const rankOf = new Map(added.map(({ runId, rank }) => [runId, rank]));
    const ranks = done.map((runId) => rankOf.get(runId) ?? -1);
    expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
    expect(new Set(done).size).toBe(60);
  });
});

describe('progress', () => {
  const pair = (nodeId: string) => [
    { type: 'step_start' as const, nodeId },
    { type: 'step_complete' as const, nodeId, status: 'passed' as const, durationMs: 1 },
  ];

  it('reaches the job in percent, and starts anew when the run is given out again', async () => {
    const fixture = await bridge([queue], { timing: { sweepMs: 50, leaseTtlMs: 300, releaseGapMs: 100 } });
    const runner = await quickRunner(fixture);
    const { job } = await backend.start();
    const first = await runner.take();
    await runner.events(first, 1, pair('open'));
    await until('half is told', () => backend.progress(job).includes(50));
    // No more heartbeats: the lease expires and the run is given out again.
    const second = await runner.take();
    expect(second).toMatchObject({ runId: first.runId, fence: 2, attempt: 2 });
    await until('it starts anew', () => backend.progress(job).at(-1) === 0);
    await runner.events(second, 1, pair('open'));
    await until('half is told again', () => backend.progress(job).at(-1) === 50);
    await runner.finish(second);
    expect(await backend.end(job)).toHaveProperty('returnvalue.status', 'passed');
    await until('all is told', () => backend.progress(job).length === 4);
    expect(backend.progress(job)).toEqual([50, 0, 50, 100]);
  });

  it('moves on in loops, and never says before the end that all is done', async () => {
    const fixture = await bridge();
    const runner = await quickRunner(fixture);
    const flow = drawnFlow(
      { loop: ['loop', { kind: 'times', times: 9 }], log: ['log', { message: 'hi' }] },
      's>loop loop:body>log',
    );
    const { job } = await backend.start({}, { flow });
    const lease = await runner.take();
    await runner.events(lease, 1, pair('loop'));
    await until('a third is told', () => backend.progress(job).includes(33));
    await runner.events(lease, 3, ['log', 'log', 'log', 'log', 'log'].flatMap(pair));
    await until('three quarters are told', () => backend.progress(job).includes(75));
    await runner.finish(lease);
    expect(await backend.end(job)).toHaveProperty('returnvalue.status', 'passed');
    await until('all is told', () => backend.progress(job).at(-1) === 100);
  });

  it('is told where the job is held, whichever bridge the events come to', async () => {
    const holding = await bridge();
    const other = await bridge(['another-queue']);
    const { job } = await backend.start();
    const runner = (await quickRunner(holding)).at(other.bridge.url);
    const lease = await runner.take();
    await runner.events(lease, 1, pair('open'));
    await until('half is told', () => backend.progress(job).includes(50));
    await runner.finish(lease);
    expect(await backend.end(job)).toHaveProperty('returnvalue.status', 'passed');
  });
});

describe('a bridge that ends', () => {
  it('gives its jobs back, and another one has them at once', async () => {
    const first = await bridge([queue], { intakeTimes: { lockMs: 60_000, fetchMs: 20_000 } });
    const plain = await starts(3);
    const urgent = await backend.start({}, { priority: 4 });
    await until('the first has them', async () => (await active()) === 4);
    const second = await bridge([queue], { intakeTimes: { lockMs: 60_000, fetchMs: 20_000 } });
    const runner = await quickRunner(second);
    const startedAtMs = performance.now();
    await first.bridge.close();
    expect(performance.now() - startedAtMs).toBeLessThan(10_000);
    const all = [...plain, urgent];
    await until('the second has them', async () => (await active()) === 4);
    expect(await runner.work(4)).toEqual(all.map(({ runId }) => runId));
    for (const { job } of all) {
      expect(await backend.end(job)).toHaveProperty('returnvalue.status', 'passed');
      expect(await backend.queue.getJob(job.id ?? '')).toMatchObject({ attemptsMade: 1, stalledCounter: 0 });
    }
  });

  it('ends in time when it waits for a row, and leaves that job to another one', async () => {
    const first = await bridge([queue], { intakeTimes: { rowWaitsMs: [60_000] } });
    const runId = randomUUID();
    const job = await backend.add({ runId });
    await until('the first has it', async () => (await active()) === 1);
    await first.bridge.close();
    expect(await job.getState()).toBe('waiting');
    await backend.insert({ id: runId });
    const runner = await quickRunner(await bridge());
    expect(await runner.work(1)).toEqual([runId]);
    expect(await backend.end(job)).toHaveProperty('returnvalue.runId', runId);
  });

  it.each(['gone', 'wedged'])('ends in time when Redis is %s', async (how) => {
    const own = await startRedis();
    const fixture = await serversBridge({ redisUrl: own.url, databaseUrl: database.url, queues: ['q'] });
    backend = await playBackend({ redisUrl: own.url, databaseUrl: database.url, queue: 'q' });
    const [{ job } = {}] = await starts(3);
    try {
      await until('they are held', async () => (await active()) === 3);
      if (how === 'gone') await own.kill();
      else own.freeze();
      const startedAtMs = performance.now();
      await fixture.end();
      expect(performance.now() - startedAtMs).toBeLessThan(10_000);
    } finally {
      if (how === 'gone') await own.start();
      else own.thaw();
      // BullMQ's own closing never ends while it reconnects.
      await until('the backend is back', async () => {
        await job?.updateProgress(1).catch(() => {});
        return job !== undefined && backend.progress(job).length > 0;
      });
      await backend.close();
      await own.remove();
    }
  });
});

describe('several bridges', () => {
  it('settle the job of a run whose result came to another one than the one that holds it', async () => {
    const holding = await bridge();
    const { runId, job } = await backend.start();
    await until('it is held', async () => (await active()) === 1);
    const other = await bridge(['another-queue']);
    const runner = (await quickRunner(holding)).at(other.bridge.url);
    expect(await runner.work(1)).toEqual([runId]);
    expect(await backend.end(job)).toHaveProperty('returnvalue.status', 'passed');
  });
});
