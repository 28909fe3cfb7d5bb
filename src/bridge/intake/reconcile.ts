import { type JobType, Queue } from 'bullmq';
import { sql } from 'drizzle-orm';
import { Redis } from 'ioredis';
import type { Clock } from '../../lib/clock.ts';
import type { Secret } from '../../lib/secret.ts';
import { nowPlus, rowsOf, textArray, uuidArray } from '../db/database.ts';
import type { LeaseDeps } from '../leases/lease-deps.ts';
import type { IntakeTimes } from './intake-times.ts';
import { quietLog } from './quiet-log.ts';

type ReconcileDeps = Pick<LeaseDeps, 'db' | 'now' | 'log'> & {
  clock: Clock;
  times: IntakeTimes;
  redisUrl: Secret;
  queues: readonly string[];
  prefix: string;
};

/** Candidates looked at in one pass, oldest first. */
const rowsPerPass = 10_000;
const jobsPerPage = 500;
/** Failed jobs looked through in each queue, newest first. */
const failedJobs = 2_000;
/** States of jobs that bring their run sooner or later. `paused` is a list that BullMQ 6 reads and no longer names. */
const onTheirWay = [
  'waiting',
  'prioritized',
  'delayed',
  'active',
  'paused' as JobType,
  'waiting-children',
] as const;

/**
 * At the start and every minute, by one bridge for all: runs that are queued in the table and whose jobs are lost (Redis
 * without its data, or a job that failed before its row was there) get one again. Leases without a job need none, but for those
 * that were only added to end a run which cannot start: a bridge that was killed between the two leaves that to the next job.
 */
export function startReconciler(deps: ReconcileDeps): { stop(): Promise<void> } {
  const { clock, log, times } = deps;
  const ending = new AbortController();
  const quiet = quietLog('the search for lost jobs', { log, monotonicMs: () => clock.monotonicMs() });
  const redis = new Redis(deps.redisUrl.reveal(), {
    // A pass that meets an outage is over; the next one comes.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: 5_000,
    commandTimeout: 5_000,
    keepAlive: 10_000,
    connectionName: 'qualinet-bridge-reconcile',
  });
  redis.on('error', quiet.error);
  const queues = deps.queues.map((name) => {
    const queue = new Queue(name, { connection: redis, prefix: deps.prefix, skipVersionCheck: true });
    queue.on('error', quiet.error);
    return queue;
  });
  const others = new Map<string, Queue>();
  /** Queues of all bridges: those of others may have the jobs of rows that these have not. */
  async function allQueues(): Promise<Queue[]> {
    for (const { prefix, name } of await noteQueues(deps)) {
      const key = queueMark(prefix, name);
      if (others.has(key) || (prefix === deps.prefix && deps.queues.includes(name))) continue;
      const queue = new Queue(name, { connection: redis, prefix, skipVersionCheck: true });
      queue.on('error', quiet.error);
      others.set(key, queue);
    }
    return [...queues, ...others.values()];
  }
  const work = (async () => {
    await Promise.all(queues.map((queue) => queue.waitUntilReady())).catch(quiet.error);
    while (!ending.signal.aborted) {
      try {
        await reconcile(deps, await allQueues(), ending.signal);
        // A pass that finds nothing to do has not asked Redis.
        if (redis.status === 'ready') quiet.recovered();
      } catch (error) {
        if (!ending.signal.aborted) quiet.error(error);
      }
      await clock.sleep(times.reconcileMs, ending.signal).catch(() => {});
    }
  })();
  return {
    async stop() {
      ending.abort();
      redis.disconnect();
      await work;
      await Promise.all([...queues, ...others.values()].map((queue) => queue.close().catch(() => {})));
    },
  };
}

async function reconcile(deps: ReconcileDeps, queues: readonly Queue[], signal: AbortSignal): Promise<void> {
  if (!(await isOurTurn(deps))) return;
  let lost = await withoutJobs(queues, await waitingRows(deps));
  if (lost.size === 0) return;
  // A job that changes its state while one looks may be seen in neither; and it may only just have been added.
  await deps.clock.sleep(deps.times.reconcileConfirmMs, signal);
  lost = await withoutJobs(queues, await waitingRows(deps, [...lost]));
  if (lost.size === 0) return;
  const retried = await retryFailed(queues, lost);
  if (retried > 0)
    deps.log.warn('jobs that had failed were retried: their runs are still queued', { jobs: retried });
  if (lost.size > 0) await addAgain(deps, queues, [...lost]);
}

const queueMarks = 'queue ';

function queueMark(prefix: string, name: string): string {
  return queueMarks + JSON.stringify([prefix, name]);
}

/** Notes which queues this bridge takes jobs from; those of all bridges that ever did. */
async function noteQueues({
  db,
  now,
  queues,
  prefix,
}: ReconcileDeps): Promise<{ prefix: string; name: string }[]> {
  const own = queues.map((name) => queueMark(prefix, name));
  await db.execute(sql`
    insert into qualinet.marks (name, at) select own, ${now()} from unnest(${textArray(own)}) own
    on conflict (name) do update set at = excluded.at`);
  const marks = await rowsOf<{ name: string }>(
    db,
    sql`select name from qualinet.marks where starts_with(name, ${queueMarks})`,
  );
  return marks.map((mark) => {
    const [prefix, name] = JSON.parse(mark.name.slice(queueMarks.length)) as [string, string];
    return { prefix, name };
  });
}

async function isOurTurn({ db, now, times }: ReconcileDeps): Promise<boolean> {
  const taken = await rowsOf(
    db,
    sql`
      insert into qualinet.marks as mark (name, at) values ('reconciled', ${now()})
      on conflict (name) do update set at = excluded.at where mark.at < ${nowPlus(now, (-times.reconcileMs * 5) / 6)}
      returning 1`,
  );
  return taken.length > 0;
}

/** Runs that wait for a job, as far as the database knows; of `among` when given. */
async function waitingRows(
  { db, now, times }: ReconcileDeps,
  among: readonly string[] | null = null,
): Promise<Set<string>> {
  const rows = await rowsOf<{ id: string }>(
    db,
    sql`
      select r.id from public.runs r
      where r.status = 'queued' and r.executed_at >= ${nowPlus(now, -times.reconcileBeforeMs)}
        and r.executed_at <= ${nowPlus(now, -times.reconcileAfterMs)}
        and not exists (
          select 1 from qualinet.leases l where l.run_id = r.id and l.available_at <> 'infinity'::timestamptz)
        and ${among === null ? sql`true` : sql`r.id = any(${uuidArray(among)})`}
      order by r.executed_at limit ${rowsPerPass}`,
  );
  return new Set(rows.map(({ id }) => id));
}

/** Those of `runIds` that no job on its way is about. */
async function withoutJobs(queues: readonly Queue[], runIds: ReadonlySet<string>): Promise<Set<string>> {
  const lost = new Set(runIds);
  for (const queue of queues) {
    for (const state of onTheirWay) {
      for (let from = 0; lost.size > 0; from += jobsPerPage) {
        // Newest first: jobs leave at the other end, so that none is passed over while one turns the pages.
        const jobs = await queue.getJobs([state], from, from + jobsPerPage - 1, false);
        for (const job of jobs) lost.delete(runIdOf(job));
        if (jobs.length === 0) break;
      }
    }
  }
  return lost;
}

// Such a job has its workspace, labels and variables with it, which a new one would lack.
async function retryFailed(queues: readonly Queue[], lost: Set<string>): Promise<number> {
  let retried = 0;
  for (const queue of queues) {
    for (const state of ['failed', 'completed'] as const) {
      for (let from = 0; lost.size > 0 && from < failedJobs; from += jobsPerPage) {
        const jobs = await queue.getJobs([state], from, from + jobsPerPage - 1, false);
        for (const job of jobs) {
          if (!lost.has(runIdOf(job))) continue;
          await job.retry(state);
          lost.delete(runIdOf(job));
          retried += 1;
        }
        if (jobs.length === 0) break;
      }
    }
  }
  return retried;
}

async function addAgain(
  { db, log }: ReconcileDeps,
  queues: readonly Queue[],
  lost: readonly string[],
): Promise<void> {
  const [queue] = queues;
  if (queue === undefined) return;
  if (await hasOtherWorkspaces(db)) {
    log.warn(
      'runs are queued in the table, and their jobs are lost; a bridge must not guess their workspace',
      {
        runs: lost.length,
        runIds: lost.slice(0, 10),
        advice:
          'Add their jobs again from the backend, with their workspace, or set the status of the rows to "failed".',
      },
    );
    return;
  }
  for (const runId of lost) {
    // A job under this id that is over and kept would make adding it do nothing.
    await (await queue.getJob(runId))?.remove();
    await queue.add('run', { runId }, { jobId: runId, removeOnComplete: { age: 86_400 } });
  }
  log.warn('runs were queued in the table and their jobs were lost; they were added again', {
    queue: queue.name,
    runs: lost.length,
    runIds: lost.slice(0, 10),
  });
}

async function hasOtherWorkspaces(db: LeaseDeps['db']): Promise<boolean> {
  const [row] = await rowsOf<{ others: boolean }>(
    db,
    sql`
      select exists (select 1 from qualinet.runners where workspace <> 'default')
        or exists (select 1 from qualinet.leases where workspace <> 'default') as others`,
  );
  return row?.others === true;
}

function runIdOf({ data }: { data: unknown }): string {
  const runId: unknown = Reflect.get(Object(data), 'runId');
  return typeof runId === 'string' ? runId.toLowerCase() : '';
}
