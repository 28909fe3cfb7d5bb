import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IntakeScene, intakeScene } from '../../support/intake-scene.ts';
import { simpleFlow } from '../../support/played-backend.ts';
import { operatorRequest } from '../../support/signed-client.ts';

describe('a run that is taken in', () => {
  let scene: IntakeScene;
  let backend: IntakeScene['backend'];
  let runner: IntakeScene['runner'];
  beforeAll(async () => {
    scene = await intakeScene();
    ({ backend, runner } = scene);
  });
  afterAll(() => scene?.end());

  const operator = (method: string, path: string, body?: object) =>
    operatorRequest(scene.fixture.bridge, method, path, body);

  it('goes to a runner that waits, with everything that a grant brings', async () => {
    const polling = runner.poll(1, 20_000);
    const { runId, job } = await backend.start({ variables: { WHO: 'Ada' } });
    const [lease] = await polling;
    expect(lease).toMatchObject({
      runId,
      fence: 1,
      attempt: 1,
      flow: simpleFlow,
      variables: { WHO: 'Ada' },
      offerMs: expect.any(Number),
    });
    if (lease === undefined) throw new Error('no lease');
    await runner.beat(lease);
    await runner.finish(lease);
    expect(await backend.end(job)).toHaveProperty('returnvalue.status', 'passed');
  });

  it('is granted anew when the offer is not acknowledged', async () => {
    const polling = runner.poll(1, 20_000);
    const { runId, job } = await backend.start();
    await polling;
    const again = await runner.take();
    expect(again).toMatchObject({ runId, fence: 2, attempt: 1 });
    await runner.finish(again);
    expect(await backend.end(job)).toHaveProperty('returnvalue.status', 'passed');
  });

  it('reaches a runner that waits also while a run that it cannot take waits before it', async () => {
    const stuck = await backend.start({ labels: ['gpu'] });
    const polling = runner.poll(1, 20_000);
    const { runId, job } = await backend.start();
    const [lease] = await polling;
    expect(lease?.runId).toBe(runId);
    if (lease === undefined) throw new Error('no lease');
    await runner.beat(lease);
    await runner.finish(lease);
    await backend.end(job);
    await operator('POST', `/v1/runs/${stuck.runId}/cancel`);
    await backend.end(stuck.job);
  });

  it('is not given to a runner that was told to drain while it waited', async () => {
    const polling = runner.poll(1, 20_000);
    await operator('POST', `/v1/runners/${runner.runnerId}/drain`, { drain: true });
    expect(await polling).toEqual([]);
    const { runId, job } = await backend.start();
    expect(await runner.poll(1, 300)).toEqual([]);
    await operator('POST', `/v1/runners/${runner.runnerId}/drain`, { drain: false });
    const lease = await runner.take();
    expect(lease.runId).toBe(runId);
    await runner.finish(lease);
    await backend.end(job);
  });
});
