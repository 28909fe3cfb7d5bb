import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChildProgram } from '../../src/demo/child-program.ts';
import { type DemoSite, startDemoSite } from '../../src/demo/demo-site.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { backendDatabase } from '../support/backend-database.ts';
import { chain } from '../support/chain.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { type BridgeProcess, pairRunner, startRunnerProcess, startSharedBridge } from '../support/system.ts';
import { suiteFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

// The backend of the original specification, untouched, with two bridges and a runner beside it: real processes, a real
// site, real Chromium. Whatever the backend does here goes through bullmq, ioredis and pg.

describe.each([5, 6] as const)('a backend with BullMQ %i', (bullmq) => {
  const folder = suiteFolder();
  let redis: RedisServer;
  let database: Awaited<ReturnType<typeof backendDatabase>>;
  let site: DemoSite;
  let backend: Backend;
  let bridges: BridgeProcess[];
  let runner: ChildProgram;

  beforeAll(async () => {
    [redis, database, site] = await Promise.all([startRedis(), backendDatabase(), startDemoSite()]);
    const servers = { databaseUrl: database.url, redisUrl: redis.url };
    backend = await startBackend({ ...servers, bullmq });
    bridges = await Promise.all([startSharedBridge(servers), startSharedBridge(servers)]);
    const [bridge] = bridges;
    if (bridge === undefined) throw new Error('no bridge');
    await pairRunner(bridge, join(folder(), 'runner'), ['--name', 'beside']);
    runner = startRunnerProcess(join(folder(), 'runner'));
  });
  afterAll(async () => {
    await runner?.stop();
    await Promise.all((bridges ?? []).map(({ program }) => program.stop()));
    await backend?.close();
    await site?.close();
    await database?.drop();
    await redis?.remove();
  });

  it('receives the messages and reads the row of a run that passes', async () => {
    const runId = await backend.insertRun(
      chain(
        { id: 'open', type: 'Navigate', data: { url: site.url } },
        { id: 'name', type: 'Type', data: { selector: '#name', value: '{{WHO}}' } },
        { id: 'go', type: 'Click', data: { selector: 'button' } },
      ),
    );
    const messages = await backend.subscribe(runId);
    await backend.addJob(runId, { variables: { WHO: 'Ada' } }, { jobId: runId });
    const end = await backend.jobEnd(runId);
    await until('the last message came', () => messages.at(-1)?.type === 'run_complete');

    const steps = messages.filter(({ type }) => type.startsWith('step_'));
    expect(steps.map(({ type, nodeId, status }) => [type, nodeId, status])).toEqual(
      ['open', 'name', 'go'].flatMap((id) => [
        ['step_start', id, undefined],
        ['step_complete', id, 'passed'],
      ]),
    );
    expect(messages.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    const row = await backend.row(runId);
    expect(row).toMatchObject({
      status: 'passed',
      steps_result: [
        { nodeId: 'open', status: 'passed' },
        { nodeId: 'name', status: 'passed' },
        { nodeId: 'go', status: 'passed' },
      ],
    });
    expect(row?.duration_ms).toBeGreaterThan(0);
    expect(end).toMatchObject({ event: 'completed' });
    expect(backend.progress.get(runId)?.at(-1)).toBe(100);
  });

  it('reads which step failed, with a picture, and the reason on the job', async () => {
    const runId = await backend.insertRun(
      chain(
        { id: 'open', type: 'navigate', data: { url: site.url } },
        { id: 'wrong', type: 'assertion', data: { selector: 'h1', value: 'Coffee', timeoutMs: 300 } },
        { id: 'never', type: 'click', data: { selector: 'button' } },
      ),
    );
    const messages = await backend.subscribe(runId);
    // Attempts of BullMQ's own must not run a failed flow again.
    await backend.addJob(runId, {}, { attempts: 3 });
    const end = await backend.jobEnd(runId);
    await until('the last message came', () => messages.at(-1)?.type === 'run_complete');
    expect(messages.filter(({ type }) => type === 'step_complete').at(-1)).toMatchObject({
      nodeId: 'wrong',
      status: 'failed',
    });
    const row = await backend.row(runId);
    expect(row?.status).toBe('failed');
    expect(row?.steps_result?.map(({ nodeId, status }) => [nodeId, status])).toEqual([
      ['open', 'passed'],
      ['wrong', 'failed'],
    ]);
    const picture = await fetch(row?.steps_result?.[1]?.screenshotUrl ?? '');
    expect(picture.headers.get('content-type')).toBe('image/png');
    expect(end.event === 'failed' && end.failedReason).toMatch(/wrong/);
    expect(backend.jobEnds.get(runId)).toHaveLength(1);
  });

  it('ends a run by its own row, while it executes', async () => {
    const runId = await backend.insertRun(
      chain(
        { id: 'open', type: 'navigate', data: { url: site.url } },
        { id: 'long', type: 'wait', data: { ms: 60_000 } },
      ),
    );
    const messages = await backend.subscribe(runId);
    await backend.addJob(runId);
    await until('the run executes', () => messages.some(({ nodeId }) => nodeId === 'long'));
    await backend.sql(`update runs set status = 'cancelled' where id = $1`, [runId]);
    expect(await backend.jobEnd(runId)).toMatchObject({ event: 'failed' });
    await until('the last message came', () => messages.at(-1)?.type === 'run_complete');
    expect(messages.at(-1)).toMatchObject({ status: 'cancelled' });
    expect((await backend.row(runId))?.status).toBe('cancelled');
  });

  it('is told by row and job why a run cannot be run', async () => {
    const runId = await backend.insertRun({
      nodes: [
        { id: 's', type: 'start' },
        { id: 'a', type: 'teleport', data: {} },
      ],
      edges: [{ source: 's', target: 'a' }],
    });
    await backend.addJob(runId);
    const end = await backend.jobEnd(runId);
    expect(end.event === 'failed' && end.failedReason).toMatch(/teleport/);
    expect(await backend.row(runId)).toMatchObject({
      status: 'failed',
      steps_result: [{ nodeId: 'a', status: 'failed', error: expect.stringContaining('teleport') }],
    });
  });

  it('cancels a run through an operator, while it waits in the queue of a runner that is busy', async () => {
    const long = chain({ id: 'long', type: 'wait', data: { ms: 60_000 } });
    const [busy, waiting] = [await backend.insertRun(long), await backend.insertRun(long)];
    const busyMessages = await backend.subscribe(busy);
    await backend.addJob(busy);
    await until('the runner is busy', () => busyMessages.some(({ nodeId }) => nodeId === 'long'));
    await backend.addJob(waiting);
    const [one, other] = bridges;
    await until('the run was taken in', async () =>
      backend
        .sql('select 1 from qualinet.leases where run_id = $1', [waiting])
        .then((rows) => rows.length > 0),
    );
    await one?.operator('POST', `/v1/runs/${waiting}/cancel`);
    await other?.operator('POST', `/v1/runs/${busy}/cancel`);
    for (const runId of [waiting, busy]) {
      expect(await backend.jobEnd(runId)).toMatchObject({ event: 'failed' });
      expect((await backend.row(runId))?.status).toBe('cancelled');
    }
  });
});
