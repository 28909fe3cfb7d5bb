import { type Job, Queue, WaitingError, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Secret } from '../../lib/secret.ts';
import type { IntakeTimes } from './intake-times.ts';
import { quietLog } from './quiet-log.ts';
import type { JobResult } from './run-outcome.ts';

/** The intake from one queue: a BullMQ worker whose processor holds jobs, with two connections of its own. */
export interface QueueIntake {
  readonly name: string;
  /** Jobs it has now. */
  held(): number;
  /** Jobs in the queue that no bridge has taken yet, those of a paused queue among them. */
  waiting(): Promise<number>;
  /** Sets how many it may have. */
  allow(count: number): void;
  /** Resolves when its connections stand; what keeps them from it is told. */
  ready(): Promise<void>;
  /** Throws unless jobs can come in now. */
  check(): Promise<void>;
  /** Called regularly: says when an outage is over, and starts what stopped. */
  watch(): void;
  /** Takes no more, has `giveBack` put what it holds back, and ends; in time also when Redis is away. */
  drain(giveBack: GiveBack): Promise<void>;
}

/** What is done with the held jobs at the end. */
interface GiveBack {
  whenReachable(): Promise<void>;
  whenAway(): void;
}

interface QueueDeps {
  name: string;
  prefix: string;
  redisUrl: Secret;
  times: IntakeTimes;
  clock: Clock;
  log: Log;
  /** Resolves or rejects as the job is to be settled. */
  process(job: Job, token: string): Promise<JobResult>;
  /** Jobs that are not this worker's any more. */
  onLocksLost(jobIds: readonly string[]): void;
}

/** Codes of BullMQ for a job that has moved on without us: it is missing, not locked, or locked by another. */
const movedOn = new Set([-1, -2, -6]);

export function startQueueIntake({
  name,
  prefix,
  redisUrl,
  times,
  clock,
  log,
  ...on
}: QueueDeps): QueueIntake {
  const quiet = quietLog(`the intake from queue "${name}"`, { log, monotonicMs: () => clock.monotonicMs() });
  // An instance, because a bundle has no package for BullMQ to load. It makes its second one, for blocking, from this.
  const redis = new Redis(redisUrl.reveal(), {
    maxRetriesPerRequest: null,
    connectTimeout: 10_000,
    // A connection that stays open and answers nothing is cut and made anew; longer than a fetch blocks.
    socketTimeout: 30_000,
    keepAlive: 10_000,
    connectionName: 'qualinet-bridge-intake',
  });
  redis.on('error', quiet.error);
  let held = 0;
  let isDraining = false;
  const worker = new Worker<unknown, JobResult>(
    name,
    async (job, token = '') => {
      held += 1;
      try {
        if (!isDraining) return await on.process(job, token);
        await job.moveToWait(token);
        throw new WaitingError();
      } finally {
        held -= 1;
      }
    },
    {
      connection: redis,
      prefix,
      concurrency: 1,
      drainDelay: times.fetchMs / 1000,
      lockDuration: times.lockMs,
      stalledInterval: times.stalledCheckMs,
      // Every bridge that ends without giving back counts as a stall of all it held; attempts are counted in our table.
      maxStalledCount: 1_000,
      // What Redis must be able to do is looked at when the bridge starts.
      skipVersionCheck: true,
    },
  );
  worker.on('error', (error) => {
    const code: unknown = Reflect.get(error, 'code');
    if (typeof code === 'number' && movedOn.has(code))
      log.debug('a job had moved on', { queue: name, error });
    else if (!/could not renew lock/.test(error.message)) quiet.error(error);
  });
  worker.on('lockRenewalFailed', (jobIds) => {
    log.warn('locks of jobs ran out; BullMQ gives them out again, their runs go on', {
      queue: name,
      jobs: jobIds.length,
    });
    on.onLocksLost(jobIds);
  });
  const blocking = worker.getBackend().blockingClient;
  /** The connection that waits for jobs, once there is one. */
  let blockingStatus = (): string => 'connecting';
  blocking?.then(
    (client) => {
      blockingStatus = () => client.status;
    },
    (error: unknown) => quiet.error(error),
  );
  const isReachable = (): boolean => redis.status === 'ready' && blockingStatus() === 'ready';

  let isWaking = false;
  // BullMQ looks at a raised number only when one of its jobs ends; resuming makes it look now.
  async function wake(): Promise<void> {
    if (isWaking) return;
    isWaking = true;
    try {
      await worker.pause(true);
      await worker.resume();
    } catch (error) {
      quiet.error(error);
    } finally {
      isWaking = false;
    }
  }

  const queue = new Queue(name, { connection: redis, prefix, skipVersionCheck: true });
  queue.on('error', quiet.error);

  return {
    name,
    held: () => held,
    async waiting() {
      const counts = await queue.getJobCounts('waiting', 'prioritized');
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    },
    allow(count) {
      const before = worker.concurrency;
      if (count === before || isDraining) return;
      worker.concurrency = count;
      if (count > before && held >= before) void wake();
    },
    async ready() {
      await worker.waitUntilReady().catch(() => {});
    },
    async check() {
      if (redis.status !== 'ready')
        throw new Error(`queue "${name}": the connection to Redis is ${redis.status}`);
      const status = blockingStatus();
      if (status !== 'ready')
        throw new Error(`queue "${name}": the connection that waits for jobs is ${status}`);
      // Raising the number of jobs pauses it for a moment.
      if (worker.isPaused()) await clock.sleep(200);
      if (!worker.isRunning() || worker.isPaused()) throw new Error(`queue "${name}": no jobs are fetched`);
    },
    watch() {
      if (isReachable()) quiet.recovered();
      // Pausing may meet the end of its last job, and then its loop has ended.
      if (!isDraining && !isWaking && !worker.isRunning() && worker.closing === undefined) {
        worker.run().catch(quiet.error);
      }
    },
    async drain({ whenReachable, whenAway }) {
      isDraining = true;
      const wasReachable = isReachable();
      const late = new AbortController();
      const timeout = clock.sleep(times.drainMs, late.signal).catch(() => {});
      // Without force it waits for Redis to say goodbye, which one that is away never does.
      const closing = worker.close(!wasReachable);
      closing.catch(quiet.error);
      if (wasReachable) {
        await Promise.race([
          whenReachable()
            // A job with a priority goes back without waking anybody who waits for jobs; a queue's marker does.
            .then(() => redis.zadd(worker.keys['marker'] ?? '', 0, '0'))
            .then(() => closing),
          timeout,
        ]);
      }
      whenAway();
      redis.disconnect();
      (await Promise.race([blocking, timeout]))?.disconnect();
      await Promise.race([closing, timeout]);
      late.abort();
    },
  };
}
