import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { backendDatabase } from '../../support/backend-database.ts';
import { type PlayedBackend, playBackend, simpleFlow } from '../../support/played-backend.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import {
  passedResult,
  type QuickRunner,
  quickRunner,
  type ServersBridge,
  serversBridge,
} from '../../support/servers-bridge.ts';
import { operatorRequest, request } from '../../support/signed-client.ts';
import { until } from '../../support/until.ts';

let redis: RedisServer;
let database: Awaited<ReturnType<typeof backendDatabase>>;
beforeAll(async () => {
  [redis, database] = await Promise.all([startRedis(), backendDatabase()]);
});
afterAll(async () => {
  await redis?.remove();
  await database?.drop();
});

describe.each([6, 5] as const)('a backend with BullMQ %i', (bullmq) => {
  let fixture: ServersBridge;
  let backend: PlayedBackend;
  let runner: QuickRunner;
  beforeEach(async () => {
    const queue = `q${randomUUID()}`;
    const servers = { redisUrl: redis.url, databaseUrl: database.url };
    fixture = await serversBridge({ ...servers, queues: ['another-queue', queue] });
    backend = await playBackend({ ...servers, queue, bullmq });
    runner = await quickRunner(fixture);
  });
  afterEach(async () => {
    await backend?.close();
    await fixture?.end();
  });

  const operator = (method: string, path: string) => operatorRequest(fixture.bridge, method, path);

  it('gets the result of a run that passes: in the row, on the channel and from the job', async () => {
    const runId = await backend.insert();
    const messages = await backend.listen(runId);
    const job = await backend.add({ runId });
    const lease = await runner.take();
    expect(lease).toMatchObject({ runId, attempt: 1, flow: simpleFlow, variables: {} });
    expect(await backend.row(runId)).toMatchObject({ status: 'running' });
    await runner.events(lease, 1, [
      { type: 'step_start', nodeId: 'open' },
      { type: 'step_complete', nodeId: 'open', status: 'passed', durationMs: 800 },
    ]);
    await runner.finish(lease);
    const { stepsResult, durationMs } = passedResult;
    expect(await backend.end(job)).toEqual({
      event: 'completed',
      returnvalue: { runId, status: 'passed', durationMs, stepsResult },
    });
    expect(await backend.row(runId)).toEqual({
      status: 'passed',
      duration_ms: durationMs,
      steps_result: stepsResult,
    });
    expect(messages.map(({ type }) => type)).toEqual([
      'run_start',
      'step_start',
      'step_complete',
      'run_complete',
    ]);
    expect(messages.at(-1)).toMatchObject({ type: 'run_complete', status: 'passed', runId });
  });

  it('gets a job that failed, once and with the step, for a run that failed', async () => {
    const { runId, job } = await backend.start({}, { attempts: 3, backoff: 10 });
    await runner.finish(await runner.take(), {
      status: 'failed',
      stepsResult: [
        { nodeId: 'buy', type: 'click', status: 'failed', durationMs: 5, error: 'nothing matches #buy' },
      ],
    });
    expect(await backend.end(job)).toEqual({
      event: 'failed',
      failedReason: 'step "buy" (click) failed: nothing matches #buy',
    });
    expect(await backend.row(runId)).toMatchObject({ status: 'failed' });
    const seen = await backend.queue.getJob(job.id ?? '');
    expect(await seen?.getState()).toBe('failed');
    expect(seen?.attemptsMade).toBe(1);
  });

  it('gets the reason of a run that no step ended', async () => {
    const { job } = await backend.start();
    await runner.finish(await runner.take(), {
      status: 'failed',
      stepsResult: [],
      error: { code: 'browser_missing', message: 'No Chromium was found.' },
    });
    expect(await backend.end(job)).toEqual({ event: 'failed', failedReason: 'No Chromium was found.' });
  });

  it('gets a job that failed for a run that was cancelled, while it waits and while it executes', async () => {
    const running = await backend.start();
    const lease = await runner.take();
    const waiting = await backend.start();
    await until('both are known', async () =>
      (await Promise.all([running, waiting].map(({ runId }) => operator('GET', `/v1/runs/${runId}`)))).every(
        ({ status }) => status === 200,
      ),
    );
    for (const { runId } of [running, waiting]) await operator('POST', `/v1/runs/${runId}/cancel`);
    expect(await backend.end(waiting.job)).toEqual({ event: 'failed', failedReason: 'cancelled on request' });
    expect(await runner.beat(lease)).toContain('cancel');
    await runner.finish(lease, { status: 'cancelled', stepsResult: [] });
    expect(await backend.end(running.job)).toEqual({ event: 'failed', failedReason: 'cancelled on request' });
    expect(await backend.row(running.runId)).toMatchObject({ status: 'cancelled' });
  });

  it('gets every problem of a flow that cannot run, in the row as well', async () => {
    const flow = {
      nodes: [
        { id: 's', type: 'start' },
        { id: 'open', type: 'navigate', data: {} },
        { id: 'x', type: 'teleport', data: {} },
      ],
      edges: [
        { source: 's', target: 'open' },
        { source: 'open', target: 'x' },
      ],
    };
    const runId = await backend.insert({ flow });
    const messages = await backend.listen(runId);
    const job = await backend.add({ runId });
    const end = await backend.end(job);
    expect(end).toHaveProperty(
      'failedReason',
      expect.stringMatching(/^The flow cannot run: it has 2 problems\.\n- .*\n- /),
    );
    expect(await backend.row(runId)).toEqual({
      status: 'failed',
      duration_ms: 0,
      steps_result: [
        expect.objectContaining({ nodeId: 'x', type: 'teleport', status: 'failed', durationMs: 0 }),
        expect.objectContaining({
          nodeId: 'open',
          type: 'navigate',
          status: 'failed',
          errorKind: 'invalid_data',
        }),
      ],
    });
    expect(messages).toMatchObject([{ type: 'run_complete', status: 'failed', fence: 0, seq: 1 }]);
    expect((await operator('GET', `/v1/runs/${runId}`)).body).toMatchObject({
      status: 'failed',
      error: { code: 'flow_invalid', problems: [expect.any(String), expect.any(String)] },
    });
  });

  it('hands its trace on to the run', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const { runId, job } = await backend.start(
      {},
      { telemetry: { metadata: JSON.stringify({ traceparent }) } },
    );
    await runner.work(1);
    await backend.end(job);
    expect(
      await backend.query('select trace_parent from qualinet.leases where run_id = $1', [runId]),
    ).toEqual([{ trace_parent: traceparent }]);
  });

  it('gets a reason for a snapshot that is no flow at all', async () => {
    const { runId, job } = await backend.start({}, { flow: { nodes: { id: 'a' }, edges: [] } });
    expect(await backend.end(job)).toHaveProperty(
      'failedReason',
      expect.stringContaining('snapshot_nodes: '),
    );
    expect(await backend.row(runId)).toMatchObject({
      status: 'failed',
      steps_result: [{ nodeId: '(flow)', type: 'flow' }],
    });
  });
});

describe('an intake', () => {
  it('is ready while it fetches jobs, and says what is in the way when it cannot', async () => {
    const own = await startRedis();
    const fixture = await serversBridge({ redisUrl: own.url, databaseUrl: database.url, queues: ['a', 'b'] });
    try {
      const ready = async () => {
        const answer = await request(fixture.bridge.url, 'GET', '/readyz');
        return { status: answer.status, text: JSON.stringify(answer.body) };
      };
      expect(await ready()).toHaveProperty('status', 200);
      await own.kill();
      await until('it is not ready, for the intake too', async () => {
        const { status, text } = await ready();
        return status === 503 && /intake.*queue \\?"a\\?": the connection/.test(text);
      });
      await own.start();
      await until('it is ready again', async () => (await ready()).status === 200);
    } finally {
      await fixture.end();
      await own.remove();
    }
  });

  it('finds the end of a run that nobody told it', async () => {
    const servers = { redisUrl: redis.url, databaseUrl: database.url };
    const fixture = await serversBridge({ ...servers, queues: ['untold'] });
    const backend = await playBackend({ ...servers, queue: 'untold' });
    try {
      const { runId, job } = await backend.start();
      await until(
        'it is held',
        async () =>
          (await backend.query('select 1 from qualinet.leases where run_id = $1', [runId])).length === 1,
      );
      // What a bridge leaves that is killed after its statement and before its hint.
      await backend.query(
        `with over as (update qualinet.leases set state = 'done', ended_at = now() where run_id = $1 returning run_id)
         update runs set status = 'passed', duration_ms = 7, steps_result = '[]' where id in (select run_id from over)`,
        [runId],
      );
      const returnvalue = { runId, status: 'passed', durationMs: 7, stepsResult: [] };
      expect(await backend.end(job)).toEqual({ event: 'completed', returnvalue });
    } finally {
      await backend.close();
      await fixture.end();
    }
  });
});

describe('a job that cannot be used', () => {
  let fixture: ServersBridge;
  let backend: PlayedBackend;
  let runner: QuickRunner;
  beforeAll(async () => {
    const servers = { redisUrl: redis.url, databaseUrl: database.url };
    fixture = await serversBridge({ ...servers, queues: ['unusable'] });
    backend = await playBackend({ ...servers, queue: 'unusable' });
    runner = await quickRunner(fixture);
  });
  afterAll(async () => {
    await backend?.close();
    await fixture?.end();
  });

  it('fails with the field that is wrong, and the row of its run says so too', async () => {
    const runId = await backend.insert();
    const job = await backend.add({ runId, labels: 'gpu' }, { attempts: 5 });
    expect(await backend.end(job)).toHaveProperty(
      'failedReason',
      expect.stringMatching(/^the job's data are wrong: labels: /),
    );
    expect(await backend.row(runId)).toMatchObject({
      status: 'failed',
      duration_ms: 0,
      steps_result: [
        { nodeId: '(job)', type: 'job', status: 'failed', error: expect.stringContaining('labels: ') },
      ],
    });
    const { body } = await operatorRequest(fixture.bridge, 'GET', `/v1/runs/${runId}`);
    expect(body).toMatchObject({
      error: { code: 'job_invalid', message: expect.stringContaining('labels: ') },
    });
  });

  it('fails when it has no run id that could be one', async () => {
    expect(await backend.end(await backend.add({ runId: 17 }))).toHaveProperty(
      'failedReason',
      expect.stringContaining('runId: '),
    );
  });

  it('fails when there is no such row', async () => {
    const runId = randomUUID();
    expect(await backend.end(await backend.add({ runId }))).toEqual({
      event: 'failed',
      failedReason: `run ${runId} is not in the table runs`,
    });
  });

  it('does not fail when its row is committed a moment after it', async () => {
    const runId = randomUUID();
    const job = await backend.add({ runId });
    await until('the job was taken', async () => (await job.getState()) === 'active');
    await backend.insert({ id: runId });
    await runner.work(1);
    expect(await backend.end(job)).toHaveProperty('returnvalue.status', 'passed');
  });

  it.each([
    ['passed', '"passed"'],
    ['running', '"running"'],
    [null, 'without a status'],
  ])('fails and leaves the row as it is when that is %s', async (status, said) => {
    const runId = await backend.insert({ status });
    const reason = `run ${runId} is ${said}; only a queued run is started`;
    expect(await backend.end(await backend.add({ runId }))).toEqual({
      event: 'failed',
      failedReason: reason,
    });
    expect(await backend.row(runId)).toEqual({ status, duration_ms: null, steps_result: null });
  });

  it('is answered again with the result of its run when that is over, and starts nothing', async () => {
    const { runId, job } = await backend.start();
    await runner.work(1);
    const first = await backend.end(job);
    const row = await backend.row(runId);
    expect(await backend.end(await backend.add({ runId }))).toEqual(first);
    expect(await backend.row(runId)).toEqual(row);
    expect(await runner.poll(1, 0)).toEqual([]);
  });

  it('says that a run is started once when the backend has set its row back', async () => {
    const { runId, job } = await backend.start();
    await runner.work(1);
    await backend.end(job);
    await backend.query(`update runs set status = 'queued' where id = $1`, [runId]);
    expect(await backend.end(await backend.add({ runId }))).toHaveProperty(
      'failedReason',
      expect.stringContaining('a run is started once'),
    );
  });

  it('ends with its run when the backend itself ends that', async () => {
    const { runId, job } = await backend.start();
    await until('the run is known', async () => {
      const rows = await backend.query('select 1 from qualinet.leases where run_id = $1', [runId]);
      return rows.length === 1;
    });
    await backend.query(`update runs set status = 'failed' where id = $1`, [runId]);
    expect(await backend.end(job)).toEqual({
      event: 'failed',
      failedReason: 'The row of this run was set to "failed" by somebody else.',
    });
  });

  it('shares its run with other jobs of the same run, and all get its result', async () => {
    const { runId, job } = await backend.start();
    const other = await backend.add({ runId });
    await until('both are held', async () => (await backend.queue.getActiveCount()) === 2);
    expect(await runner.work(1)).toEqual([runId]);
    expect(await backend.end(job)).toHaveProperty('returnvalue.runId', runId);
    expect(await backend.end(other)).toEqual(await backend.end(job));
  });

  it('carries workspace, labels, variables, priority and trace to the run', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const routing = { workspace: 'team-a', labels: ['gpu'], variables: { USER: 'ann' } };
    const { runId, job } = await backend.start(
      { ...routing, onRedelivery: 'fail', traceparent, userId: 4 },
      { priority: 3 },
    );
    const own = await quickRunner(fixture, { workspace: 'team-a', labels: ['gpu'] });
    expect(await runner.poll(1, 0)).toEqual([]);
    const lease = await own.take();
    expect(lease).toMatchObject({ runId, variables: { USER: 'ann' } });
    const [row] = await backend.query('select * from qualinet.leases where run_id = $1', [runId]);
    expect(row).toMatchObject({
      ...routing,
      on_redelivery: 'fail',
      priority: -3,
      queue: 'unusable',
      job_id: job.id,
      trace_parent: traceparent,
    });
    await own.finish(lease);
    expect(await backend.end(job)).toHaveProperty('returnvalue.status', 'passed');
  });
});
