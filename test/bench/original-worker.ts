import { Worker } from 'bullmq';
import { Pool } from 'pg';
import { readOrder } from './bench-program.ts';

/** What the program is told. */
export interface OriginalOrder {
  redisUrl: string;
  databaseUrl: string;
  queue: string;
  concurrency: number;
}

/**
 * The peer: the original design (sections 3 and 4 of the specification), one process that takes jobs from BullMQ and reads
 * and updates the row itself. It does nothing with the flow. A line `<runId> <arrival>` when it has the run. Ends with its
 * stdin.
 */
async function main(): Promise<void> {
  const { order, ended } = await readOrder<OriginalOrder>();
  const { redisUrl, databaseUrl, queue, concurrency } = order;
  const pool = new Pool({ connectionString: databaseUrl, max: 20 });
  const worker = new Worker(
    queue,
    async (job) => {
      const { runId } = job.data as { runId: string };
      const { rows } = await pool.query<{ status: string }>({
        name: 'read',
        text: 'select status, snapshot_nodes, snapshot_edges from runs where id = $1',
        values: [runId],
      });
      if (rows[0]?.status !== 'queued') throw new Error(`run ${runId} is ${rows[0]?.status}`);
      await pool.query({
        name: 'start',
        text: `update runs set status = 'running' where id = $1`,
        values: [runId],
      });
      process.stdout.write(`${runId} ${performance.timeOrigin + performance.now()}\n`);
      await pool.query({
        name: 'end',
        text: `update runs set status = 'passed', duration_ms = 1, steps_result = '[]' where id = $1`,
        values: [runId],
      });
      return { status: 'passed' };
    },
    { connection: { url: redisUrl, maxRetriesPerRequest: null }, concurrency },
  );
  await worker.waitUntilReady();
  process.stdout.write('ready\n');
  await new Promise((resolve) => ended.addEventListener('abort', resolve));
  await worker.close(true);
  await pool.end();
}

await main();
