import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knownReady } from '../../src/bridge/known-ready.ts';
import { defaultTiming } from '../../src/bridge/timing.ts';
import { openEmbeddedStores } from '../contract/open-embedded-stores.ts';
import { type OpenedStores, storeOn } from '../contract/open-store.ts';

describe('what a bridge knows of runs that wait', () => {
  let opened: OpenedStores;
  beforeAll(async () => {
    opened = await openEmbeddedStores();
  });
  afterAll(() => opened?.close());

  const scene = () => {
    const store = storeOn(opened);
    return { ...store, ready: knownReady({ ...store.deps, clock: store.clock }) };
  };

  it('is nothing before it has looked', () => {
    const { ready, workspace } = scene();
    expect(ready.isNone(workspace)).toBe(false);
  });

  it('is that there are none, for as long as the look is fresh and nobody says otherwise', async () => {
    const { ready, workspace, clock } = scene();
    await ready.look();
    expect(ready.isNone(workspace)).toBe(true);
    ready.note('another');
    expect(ready.isNone(workspace)).toBe(true);
    ready.note(workspace);
    expect(ready.isNone(workspace)).toBe(false);
    await ready.look();
    expect(ready.isNone(workspace)).toBe(true);
    await clock.advance(2 * defaultTiming.sweepMs + 1);
    expect(ready.isNone(workspace)).toBe(false);
  });

  it('is that there are some when the look found them', async () => {
    const { ready, workspace, submit } = scene();
    await submit();
    await ready.look();
    expect(ready.isNone(workspace)).toBe(false);
  });

  it('keeps what was said while it looked', async () => {
    const { ready, workspace } = scene();
    const looking = ready.look();
    ready.note(workspace);
    await looking;
    expect(ready.isNone(workspace)).toBe(false);
  });
});
