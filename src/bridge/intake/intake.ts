import { type Job, UnrecoverableError, WaitingError } from 'bullmq';
import type { Clock } from '../../lib/clock.ts';
import type { ServersConfig } from '../config.ts';
import { withoutStatement } from '../db/database.ts';
import type { Dispatcher } from '../dispatch.ts';
import type { LeaseDeps } from '../leases/lease-deps.ts';
import type { GaugeSource } from '../metrics/gauges.ts';
import { isOutage } from '../outage.ts';
import { storableText } from '../storable.ts';
import type { Dependency } from '../stores.ts';
import { waitAtMost } from '../time-limit.ts';
import { type Attached, attachRun, failUnusableJob, type JobName } from './attach-run.ts';
import { capOf, sharesOf } from './cap.ts';
import { heldRuns } from './held-runs.ts';
import { type IntakeTimes, intakeTimes } from './intake-times.ts';
import { type JobData, readJobData } from './job-data.ts';
import { type QueueIntake, startQueueIntake } from './queue-intake.ts';
import { quietLog } from './quiet-log.ts';
import { readLoad } from './read-load.ts';
import { startReconciler } from './reconcile.ts';
import { type JobResult, jobResult } from './run-outcome.ts';

/** Takes runs from BullMQ's queues: each job is held until its run is over, and settled with the run's outcome. */
export interface Intake extends Dependency {
  /** Begins to take jobs. Resolves when it does, or after a while when Redis has gone meanwhile: it goes on trying. */
  start(): Promise<void>;
  /** What BullMQ still has, and what this bridge holds, by queue. */
  gauges: GaugeSource;
  /** Gives every held job back, so that another bridge takes it at once, and ends. Safe to call when never started. */
  drain(): Promise<void>;
}

export type IntakeDeps = LeaseDeps & { clock: Clock; dispatcher: Dispatcher; times?: Partial<IntakeTimes> };

export function createIntake(
  { redisUrl, queues: names, queuePrefix: prefix }: Omit<ServersConfig, 'databaseUrl'>,
  given: IntakeDeps,
): Intake {
  const deps = { ...given, times: { ...intakeTimes, ...given.times } };
  const { clock, log, times, dispatcher } = deps;
  const runs = heldRuns(deps);
  const ending = new AbortController();
  const quiet = quietLog('the intake', { log, monotonicMs: () => clock.monotonicMs() });
  // Of its own, because a database that may only be read for now lets one look, and takes no run.
  const taking = quietLog('taking runs in', { log, monotonicMs: () => clock.monotonicMs() });
  let queues: QueueIntake[] = [];
  let reconciler: { stop(): Promise<void> } | null = null;
  let ticking = Promise.resolve();
  let load = { running: 0, blocked: 0 };

  async function process(queue: string, job: Job, token: string): Promise<JobResult> {
    const read = readJobData(job);
    const addedAtMs = job.timestamp + (job.opts.delay ?? 0);
    const name: JobName = { queue, jobId: storableText(job.id ?? ''), addedAtMs };
    if (!read.ok) {
      const { runId, reason } = read;
      if (runId !== null) await whileOut(() => failUnusableJob(deps, name, runId, reason), job, token);
      throw refusal(name, reason);
    }
    const attached = await attach(name, read.data, job, token);
    if (attached.is === 'refused') throw refusal(name, attached.reason);
    if (attached.is === 'over') return jobResult(attached.outcome);
    // Nothing comes between these two: whoever drains finds every job that is held.
    if (ending.signal.aborted) return putBack(job, token);
    return runs.hold({ runId: read.data.runId, length: attached.length }, job, token);
  }

  // No run ends with these, so that no other line of the log tells of them.
  function refusal({ queue, jobId }: JobName, reason: string): UnrecoverableError {
    log.warn('a job cannot be used', { queue, jobId, reason });
    return new UnrecoverableError(reason);
  }

  const attach = (name: JobName, data: JobData, job: Job, token: string): Promise<Attached> =>
    whileOut(() => attachRun(deps, name, data, ending.signal), job, token);

  /** Does it again as long as the database cannot be reached: that is no fault of the job's. */
  async function whileOut<T>(work: () => Promise<T>, job: Job, token: string): Promise<T> {
    for (;;) {
      if (ending.signal.aborted) return putBack(job, token);
      try {
        const value = await work();
        taking.recovered();
        return value;
      } catch (error) {
        if (ending.signal.aborted) continue;
        if (!isOutage(error)) throw error;
        taking.error(error);
        await clock.sleep(times.outageWaitMs, ending.signal).catch(() => {});
      }
    }
  }

  async function putBack(job: Job, token: string): Promise<never> {
    await job.moveToWait(token);
    throw new WaitingError();
  }

  function setCaps(): void {
    const cap = capOf({ ...load, spare: runs.spare(), freeSlots: dispatcher.freeSlots() });
    const shares = sharesOf(
      cap,
      queues.map((queue) => queue.held()),
    );
    for (const [index, queue] of queues.entries()) queue.allow(shares[index] ?? 1);
  }

  async function look(): Promise<void> {
    try {
      const { over, ...seen } = await readLoad(deps, runs.runIds());
      load = seen;
      await runs.settle(over);
      quiet.recovered();
    } catch (error) {
      quiet.error(error);
    }
  }

  async function tick(): Promise<void> {
    let looking: Promise<void> | null = null;
    let lookedAtMs = Number.NEGATIVE_INFINITY;
    while (!ending.signal.aborted) {
      if (looking === null && clock.monotonicMs() - lookedAtMs >= times.lookMs) {
        lookedAtMs = clock.monotonicMs();
        looking = look().then(() => {
          looking = null;
        });
      }
      for (const queue of queues) queue.watch();
      setCaps();
      runs.tellProgress();
      await clock.sleep(times.tickMs, ending.signal).catch(() => {});
    }
    await looking;
  }

  return {
    name: 'intake',
    async start() {
      queues = names.map((name) =>
        startQueueIntake({
          ...{ name, prefix, redisUrl, times, clock, log },
          process: (job, token) => process(name, job, token).catch(rethrow),
          onLocksLost: (jobIds) => runs.forget(name, jobIds),
        }),
      );
      setCaps();
      ticking = tick();
      reconciler = startReconciler({ ...deps, redisUrl, queues: names, prefix });
      const isReady = Promise.all(queues.map((queue) => queue.ready()));
      await waitAtMost(clock, times.startMs, isReady);
    },
    async check() {
      if (queues.length === 0) throw new Error('the intake has not started');
      for (const queue of queues) await queue.check();
    },
    async gauges() {
      const waiting = await Promise.all(
        queues.map(async (queue) => ({ labels: { queue: queue.name }, value: await queue.waiting() })),
      );
      return [
        {
          name: 'qualinet_jobs_waiting',
          help: 'Of all bridges: jobs in BullMQ that no bridge has taken in yet, by queue.',
          samples: waiting,
        },
        {
          name: 'qualinet_jobs_held',
          help: 'Of this bridge: jobs that it holds while their runs wait and execute, by queue.',
          samples: queues.map((queue) => ({ labels: { queue: queue.name }, value: queue.held() })),
        },
      ];
    },
    async drain() {
      ending.abort();
      const looking = Promise.all([ticking, reconciler?.stop()]);
      await Promise.all(
        queues.map((queue) =>
          queue.drain({
            whenReachable: () => runs.giveBack(queue.name),
            whenAway: () => runs.abandon(queue.name),
          }),
        ),
      );
      // A look that waits for a database which is away is nobody's business any more.
      await waitAtMost(clock, times.lookEndMs, looking);
      runs.stop();
    },
  };
}

// What a job's processor throws is its failure reason, for everybody who may look at the queue: a statement that failed holds the variables of a run.
function rethrow(error: unknown): never {
  throw withoutStatement(error);
}
