import { randomUUID } from 'node:crypto';
import type { JobsOptions } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../../src/protocol/limits.ts';
import { backendFlowId } from '../../support/backend-database.ts';
import { type IntakeScene, intakeScene } from '../../support/intake-scene.ts';
import { simpleFlow } from '../../support/played-backend.ts';
import { until } from '../../support/until.ts';

let scene: IntakeScene;
let backend: IntakeScene['backend'];
let runner: IntakeScene['runner'];
beforeAll(async () => {
  scene = await intakeScene();
  ({ backend, runner } = scene);
});
afterAll(() => scene?.end());

async function failureOf(data: object, options: JobsOptions = {}): Promise<string> {
  const { runId, job } = await backend.start(data, options);
  const end = await backend.end(job);
  expect(await backend.row(runId)).toMatchObject({ status: 'failed' });
  return 'failedReason' in end ? end.failedReason : '';
}

async function jobOf(nodes: string) {
  const id = randomUUID();
  await backend.query(
    'insert into runs (id, flow_id, snapshot_nodes, snapshot_edges) values ($1, $2, $3, $4)',
    [id, backendFlowId, nodes, JSON.stringify(simpleFlow.edges)],
  );
  return { runId: id, job: await backend.add({ runId: id }) };
}

describe('a job that no honest backend adds', () => {
  it.each([
    [
      'half a surrogate pair in a value',
      { variables: { A: 'secret\ud800' } },
      'variables: must contain neither',
    ],
    ['half a surrogate pair in a name', { variables: { 'A\ud800': 'x' } }, 'variables.A\u{fffd}: '],
    ['U+0000 in a name', { variables: { 'A\0': 'x' } }, 'variables.A : '],
    ['an escape sequence in a name', { variables: { 'A\x1b[31m': 'x' } }, 'variables.A [31m: '],
  ])('fails its run, and says why, with %s', async (_, data, reason) => {
    expect(await failureOf(data)).toContain(reason);
  });

  it('is told with a few of its faults, however many it has', async () => {
    const variables = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`!${index}`, 'x']));
    const reason = await failureOf({ variables });
    expect(reason.length).toBeLessThan(1_000);
    expect(reason).toContain('and 4990 more');
  });

  it('that the database refuses is told without what the run types', async () => {
    await backend.query(`
      create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no room for this'; end $$`);
    await backend.query(`
      create trigger refuse before insert on qualinet.leases for each row
      when (new.workspace = 'refused') execute function refuse()`);
    const { job } = await backend.start({ workspace: 'refused', variables: { PASSWORD: 'correct horse' } });
    expect(await backend.end(job)).toEqual({ event: 'failed', failedReason: 'no room for this' });
    const kept = await backend.queue.getJob(job.id ?? '');
    expect(JSON.stringify(kept?.stacktrace)).not.toMatch(/correct horse|insert into/);
  });

  it('runs under an id that the database cannot keep', async () => {
    const { runId, job } = await backend.start({}, { jobId: 'a\0b' });
    const lease = await runner.take();
    expect(lease.runId).toBe(runId);
    await runner.finish(lease);
    expect(await backend.end(job)).toMatchObject({ event: 'completed' });
  });

  it('fails, where variables and flow are more than a runner takes with one lease, and stops nobody', async () => {
    const variables = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`V${index}`, 'x'.repeat(100_000)]),
    );
    expect(await failureOf({ variables })).toMatch(
      new RegExp(`have 10\\d+ bytes; at most ${limits.flowBytes} can be given to a runner`),
    );
    const next = await backend.start();
    const lease = await runner.take();
    expect(lease.runId).toBe(next.runId);
    await runner.finish(lease);
  });

  it.each([101, 6_000])('fails, where the flow is nested %i levels deep, and stops nobody', async (depth) => {
    const { job } = await jobOf(
      `[{"id":"s","type":"start","data":${'['.repeat(depth)}${']'.repeat(depth)}}]`,
    );
    expect(await backend.end(job)).toMatchObject({
      failedReason: expect.stringContaining('nested deeper than 100 levels'),
    });
    const next = await backend.start();
    const lease = await runner.take();
    expect(lease.runId).toBe(next.runId);
    await runner.finish(lease);
  });

  it('ends the run that waits, when its flow was broken since', async () => {
    const { runId, job } = await backend.start({ labels: ['nobody-has-it'] });
    await until(
      'the run is known',
      async () =>
        (await backend.query('select 1 from qualinet.leases where run_id = $1', [runId])).length === 1,
    );
    await backend.query(`update runs set snapshot_nodes = '[]' where id = $1`, [runId]);
    const again = await backend.add({ runId });
    const ended = { event: 'failed', failedReason: expect.stringContaining('The flow cannot run') };
    expect(await backend.end(again)).toMatchObject(ended);
    expect(await backend.end(job)).toMatchObject(ended);
    expect(await backend.row(runId)).toMatchObject({ status: 'failed' });
  });

  it('fails also when the bridge that began to refuse it was killed', async () => {
    const runId = await backend.insert();
    await backend.query(
      `insert into qualinet.leases
         (id, run_id, workspace, labels, priority, variables, on_redelivery, state, queued_at, available_at)
       values ($1, $2, 'default', '{}', 0, '{}', 'rerun', 'ready', now(), 'infinity')`,
      [randomUUID(), runId],
    );
    const variables = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`V${index}`, 'x'.repeat(100_000)]),
    );
    expect(await backend.end(await backend.add({ runId, variables }))).toHaveProperty('event', 'failed');
    expect(await backend.row(runId)).toMatchObject({ status: 'failed' });
  });

  it("is judged by the run's own variables, when the run waits already", async () => {
    const { runId, job } = await backend.start({ labels: ['nobody-has-it'] });
    await until(
      'the run is known',
      async () =>
        (await backend.query('select 1 from qualinet.leases where run_id = $1', [runId])).length === 1,
    );
    const big = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`V${index}`, 'x'.repeat(100_000)]),
    );
    const again = await backend.add({ runId, variables: big });
    await until('the second job is held', async () => (await again.getState()) === 'active');
    expect(await backend.row(runId)).toMatchObject({ status: 'queued' });
    await backend.query(`update runs set status = 'passed' where id = $1`, [runId]);
    for (const one of [job, again]) expect(await backend.end(one)).toMatchObject({ event: 'completed' });
  });
});
