import { randomUUID } from 'node:crypto';
import { Queue as Queue6, QueueEvents as QueueEvents6 } from 'bullmq';
import { Queue as Queue5, QueueEvents as QueueEvents5 } from 'bullmq5';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { backendFlowId } from './backend-database.ts';
import { until } from './until.ts';

/** A run's row as the backend reads it. */
export interface BackendRow {
  status: string;
  duration_ms: number | null;
  steps_result: { nodeId: string; status: string; error?: string; screenshotUrl?: string }[] | null;
}

/** A message of a run's channel as the backend receives it. */
export type BackendMessage = { type: string; nodeId?: string; status?: string } & Record<string, unknown>;

/** How a job ended, as the backend's QueueEvents tell it. */
export type JobEnd = { event: 'completed'; returnvalue: unknown } | { event: 'failed'; failedReason: string };

/**
 * The existing backend, as the original specification describes it, made of other people's clients only: pg writes and
 * reads the rows, BullMQ takes the jobs, ioredis hears the channels. It knows nothing of bridges and runners.
 */
export interface Backend {
  readonly queue: Queue6;
  /** Inserts a queued run; its id. */
  insertRun(flow: { nodes: unknown; edges: unknown }): Promise<string>;
  /** Adds its job. */
  addJob(runId: string, more?: object, options?: object): Promise<void>;
  /** Hears the run's channel from now on; the array grows. */
  subscribe(runId: string): Promise<BackendMessage[]>;
  /** All messages of all runs so far, by run. */
  readonly messages: ReadonlyMap<string, BackendMessage[]>;
  row(runId: string): Promise<BackendRow | null>;
  /** Waits until the run's job has ended, and says how. */
  jobEnd(runId: string, limitMs?: number): Promise<JobEnd>;
  /** Every end that QueueEvents told, by run: more than one would be a doubled job. */
  readonly jobEnds: ReadonlyMap<string, JobEnd[]>;
  /** Progress that QueueEvents told, by run. */
  readonly progress: ReadonlyMap<string, unknown[]>;
  sql<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

/** Connects it. `bullmq` is the major version it uses. */
export async function startBackend({
  databaseUrl,
  redisUrl,
  queueName = 'test-queue',
  bullmq = 6,
}: {
  databaseUrl: string;
  redisUrl: string;
  queueName?: string;
  bullmq?: 5 | 6;
}): Promise<Backend> {
  const connection = { url: redisUrl, maxRetriesPerRequest: null };
  // The two versions are the same to whoever adds jobs; the types of one stand for both.
  const [QueueClass, EventsClass] = (bullmq === 6 ? [Queue6, QueueEvents6] : [Queue5, QueueEvents5]) as [
    typeof Queue6,
    typeof QueueEvents6,
  ];
  const queue = new QueueClass(queueName, { connection });
  const queueEvents = new EventsClass(queueName, { connection });
  const subscriber = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const pool = new Pool({ connectionString: databaseUrl, max: 5 });
  // Outages are part of the tests; the clients come back by themselves.
  const ignore = (): void => {};
  queue.on('error', ignore);
  queueEvents.on('error', ignore);
  subscriber.on('error', ignore);
  pool.on('error', ignore);

  const runOfJob = new Map<string, string>();
  const jobEnds = new Map<string, JobEnd[]>();
  const progress = new Map<string, unknown[]>();
  const messages = new Map<string, BackendMessage[]>();
  const note = <T>(map: Map<string, T[]>, runId: string, value: T): void => {
    map.set(runId, [...(map.get(runId) ?? []), value]);
  };
  const runOf = (jobId: string): string => runOfJob.get(jobId) ?? jobId;
  queueEvents.on('completed', ({ jobId, returnvalue }) =>
    note(jobEnds, runOf(jobId), { event: 'completed', returnvalue }),
  );
  queueEvents.on('failed', ({ jobId, failedReason }) =>
    note(jobEnds, runOf(jobId), { event: 'failed', failedReason }),
  );
  queueEvents.on('progress', ({ jobId, data }) => note(progress, runOf(jobId), data));
  subscriber.on('message', (channel: string, text: string) => {
    const runId = channel.slice('run-updates:'.length);
    const list = messages.get(runId) ?? [];
    list.push(JSON.parse(text) as BackendMessage);
    messages.set(runId, list);
  });
  await queueEvents.waitUntilReady();

  return {
    queue,
    messages,
    jobEnds,
    progress,
    async insertRun({ nodes, edges }) {
      const runId = randomUUID();
      await pool.query(
        'insert into runs (id, flow_id, snapshot_nodes, snapshot_edges) values ($1, $2, $3, $4)',
        [runId, backendFlowId, JSON.stringify(nodes), JSON.stringify(edges)],
      );
      return runId;
    },
    async addJob(runId, more = {}, options = {}) {
      const job = await queue.add('run', { runId, ...more }, options);
      runOfJob.set(String(job.id), runId);
    },
    async subscribe(runId) {
      const list: BackendMessage[] = [];
      messages.set(runId, list);
      await subscriber.subscribe(`run-updates:${runId}`);
      return list;
    },
    async row(runId) {
      const { rows } = await pool.query<BackendRow>(
        'select status, duration_ms, steps_result from runs where id = $1',
        [runId],
      );
      return rows[0] ?? null;
    },
    jobEnd: (runId, limitMs = 30_000) =>
      until(`the job of run ${runId} has ended`, () => runEndOf(jobEnds, runId), limitMs),
    sql: async <Row extends object>(text: string, values: unknown[] = []) =>
      (await pool.query<Row & Record<string, unknown>>(text, values)).rows,
    async close() {
      await Promise.all([queue.close(), queueEvents.close(), pool.end()]);
      subscriber.disconnect();
    },
  };
}

function runEndOf(ends: ReadonlyMap<string, JobEnd[]>, runId: string): JobEnd | null {
  return ends.get(runId)?.[0] ?? null;
}
