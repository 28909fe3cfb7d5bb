import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDispatcher } from '../../src/bridge/dispatch.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openEmbeddedStores } from '../contract/open-embedded-stores.ts';
import { type OpenedStores, storeOn } from '../contract/open-store.ts';

describe('a poll that is set aside for a run', () => {
  let opened: OpenedStores;
  beforeAll(async () => {
    opened = await openEmbeddedStores();
  });
  afterAll(() => opened?.close());

  async function scene() {
    const store = storeOn(opened);
    const dispatcher = createDispatcher({ ...store.deps, clock: systemClock });
    const { runnerId, grant } = await store.runner();
    const runner = { runnerId, workspace: store.workspace, labels: [] };
    const gone = new AbortController();
    const poll = (waitMs: number) => dispatcher.poll({ runner, slots: 1, waitMs, gone: gone.signal });
    return { ...store, dispatcher, grant, gone, poll };
  }

  it('is answered with that run, and with no other meanwhile', async () => {
    const { dispatcher, workspace, poll, submit, grant } = await scene();
    const polling = poll(20_000);
    await dispatcher.sweep();
    const reservation = dispatcher.reserve(workspace, []);
    const first = await submit();
    const [lease] = await grant();
    const second = await submit();
    if (lease === undefined) throw new Error('no lease');
    await reservation?.give(lease);
    expect((await polling).map(({ runId }) => runId)).toEqual([first]);
    expect((await poll(0)).map(({ runId }) => runId)).toEqual([second]);
  });

  it('that goes meanwhile leaves the run to others', async () => {
    const { dispatcher, workspace, gone, poll, submit, grant, state } = await scene();
    const polling = poll(20_000);
    await dispatcher.sweep();
    const reservation = dispatcher.reserve(workspace, []);
    const runId = await submit();
    const [lease] = await grant();
    if (lease === undefined) throw new Error('no lease');
    gone.abort();
    await reservation?.give(lease);
    expect(await polling).toEqual([]);
    expect(await state(runId)).toBe('ready');
  });

  it('goes on waiting when it is released, and misses no run that came meanwhile', async () => {
    const { dispatcher, workspace, poll, submit } = await scene();
    const polling = poll(20_000);
    await dispatcher.sweep();
    const reservation = dispatcher.reserve(workspace, []);
    const runId = await submit();
    reservation?.release();
    expect((await polling).map((lease) => lease.runId)).toEqual([runId]);
  });

  it('is not set aside twice, nor for a run it could not take', async () => {
    const { dispatcher, workspace, poll } = await scene();
    const polling = poll(20_000);
    await dispatcher.sweep();
    expect(dispatcher.reserve(workspace, ['gpu'])).toBeNull();
    expect(dispatcher.reserve('other', [])).toBeNull();
    expect(dispatcher.reserve(workspace, [])).not.toBeNull();
    expect(dispatcher.reserve(workspace, [])).toBeNull();
    dispatcher.stop();
    expect(await polling).toEqual([]);
  });
});
