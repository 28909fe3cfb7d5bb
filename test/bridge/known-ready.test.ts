import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blobFolder } from '../../src/bridge/embedded/blob-folder.ts';
import { openDatabase } from '../../src/bridge/embedded/database.ts';
import { eventTable } from '../../src/bridge/embedded/event-table.ts';
import { inProcessHints } from '../../src/bridge/embedded/in-process-hints.ts';
import { knownReady } from '../../src/bridge/known-ready.ts';
import { defaultTiming } from '../../src/bridge/timing.ts';
import { type OpenedStores, storeOn } from '../contract/open-store.ts';
import { copyDatabaseTemplate } from '../support/database-template.ts';

describe('what a bridge knows of runs that wait', () => {
  let folder: string;
  let opened: OpenedStores;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'qualinet-test-'));
    await copyDatabaseTemplate(join(folder, 'database'));
    const { db, close } = await openDatabase(join(folder, 'database'));
    const hints = inProcessHints();
    opened = { db, hints, events: eventTable({ db, hints }), blobs: blobFolder(folder), close };
  });
  afterAll(async () => {
    await opened?.close();
    await rm(folder, { recursive: true, force: true });
  });

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
