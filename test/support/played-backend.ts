import { randomUUID } from 'node:crypto';
import type { Job, JobsOptions } from 'bullmq';
import { type BackendMessage, type BackendRow, type JobEnd, startBackend } from './backend.ts';
import { backendFlowId } from './backend-database.ts';
import { until } from './until.ts';

/** A backend under a test's hand: rows and jobs apart, with everything that can be wrong with either. */
export interface PlayedBackend {
  queue: Awaited<ReturnType<typeof startBackend>>['queue'];
  /** Inserts a row, as old as `agoMs` says; its id. */
  insert(more?: { id?: string; flow?: unknown; status?: string | null; agoMs?: number }): Promise<string>;
  add(data: unknown, options?: JobsOptions): Promise<Job>;
  /** Inserts a row and adds its job. */
  start(data?: object, options?: JobsOptions & { flow?: unknown }): Promise<{ runId: string; job: Job }>;
  /** Waits until the job has ended. */
  end(job: Job, limitMs?: number): Promise<JobEnd>;
  row(runId: string): Promise<BackendRow | null>;
  /** Messages on the run's channel from now on. */
  listen(runId: string): Promise<BackendMessage[]>;
  /** Progress that QueueEvents told of a job, in order. */
  progress(job: Job): unknown[];
  query(statement: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** Safe to call twice. Redis must be there. */
  close(): Promise<void>;
}

export const simpleFlow = {
  nodes: [
    { id: 's', type: 'start' },
    { id: 'open', type: 'navigate', data: { url: 'https://example.test/' } },
    { id: 'buy', type: 'click', data: { selector: '#buy' } },
  ],
  edges: [
    { source: 's', target: 'open' },
    { source: 'open', target: 'buy' },
  ],
};

export async function playBackend({
  queue,
  ...servers
}: {
  redisUrl: string;
  databaseUrl: string;
  queue: string;
  bullmq?: 5 | 6;
}): Promise<PlayedBackend> {
  const backend = await startBackend({ ...servers, queueName: queue });
  let closing: Promise<void> | null = null;
  const played: PlayedBackend = {
    queue: backend.queue,
    async insert({ id = randomUUID(), flow = simpleFlow, status = 'queued', agoMs = 0 } = {}) {
      const { nodes, edges } = flow as { nodes: unknown; edges: unknown };
      await backend.sql(
        `insert into runs (id, flow_id, snapshot_nodes, snapshot_edges, status, executed_at)
         values ($1, $2, $3, $4, $5, now() - $6 * interval '1 millisecond')`,
        [id, backendFlowId, JSON.stringify(nodes), JSON.stringify(edges), status, agoMs],
      );
      return id;
    },
    add: (data, options) => backend.queue.add('execute', data, options),
    async start(data = {}, { flow = simpleFlow, ...options } = {}) {
      const runId = await played.insert({ flow });
      return { runId, job: await played.add({ runId, ...data }, options) };
    },
    // It knows these jobs by their own ids only.
    end: ({ id = '' }, limitMs) =>
      until(`job ${id} is over`, () => backend.jobEnds.get(id)?.[0] ?? null, limitMs),
    row: (runId) => backend.row(runId),
    listen: (runId) => backend.subscribe(runId),
    progress: ({ id = '' }) => [...(backend.progress.get(id) ?? [])],
    query: (statement, values) => backend.sql(statement, values),
    async close() {
      closing ??= backend.close();
      await closing;
    },
  };
  return played;
}
