import { appendFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bodyLimitOf } from '../../../src/protocol/routes.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { fixture } from '../agent-fixture.ts';
import { header, leave, mib, numbered, passed, smallDisk, spoolOf } from './spool-fixture.ts';

const reserveBytes = bodyLimitOf('postResult');

function picture(nodeId: string, bytes: number) {
  return { nodeId, contentType: 'image/png', bytes: new Uint8Array(bytes).fill(7) } as const;
}

async function scene(disk = smallDisk(Number.POSITIVE_INFINITY), capBytes = 200 * mib) {
  const { log } = await fixture();
  const home = await tempFolder();
  const spool = await spoolOf(home, { log, disk, capBytes });
  return { log, home, spool, disk, leftovers: async () => (await spoolOf(home, { log })).takeLeftovers() };
}

/** A small disk that takes its time to set the room for results aside again. */
function slowReserve(freeBytes: number) {
  const disk = smallDisk(freeBytes);
  const { replace } = disk;
  let begin = (): void => {};
  let finish = (): void => {};
  const isBeingSetAside = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let times = 0;
  return Object.assign(disk, {
    isBeingSetAside,
    finish,
    async replace(path: string, content: string | Uint8Array) {
      if (!path.endsWith('spool-reserve') || ++times === 1) return replace(path, content);
      // As a file beside the one that it replaces.
      const bytes = Buffer.byteLength(content);
      disk.freeBytes -= bytes;
      begin();
      await finished;
      disk.freeBytes += bytes;
      return replace(path, content);
    },
  });
}

describe('the spool', () => {
  it('says whose a lease is before anything else of it is there', async () => {
    const { spool, leftovers } = await scene();
    await spool.begin(header);
    expect(await leftovers()).toMatchObject([{ header, events: [], ending: null }]);
  });

  it('is read back as it was left, and is gone once dropped', async () => {
    const { spool, leftovers } = await scene();
    const lease = await spool.begin(header);
    for (let seq = 1; seq <= 3; seq += 1) lease.append(numbered(seq));
    await lease.keepPicture(picture('a', 3));
    expect(await lease.writeEnding(passed)).toBe(true);
    await lease.keep();
    const [leftover] = await leftovers();
    expect(leftover).toMatchObject({ header, ending: passed, events: [1, 2, 3].map(numbered) });
    const [kept] = leftover?.pictures() ?? [];
    expect(await kept?.read()).toEqual({ ...picture('a', 3), bytes: Buffer.from([7, 7, 7]) });
    await leftover?.drop();
    expect(await leftovers()).toEqual([]);
  });

  it('gives what an earlier life left only once', async () => {
    const { log } = await fixture();
    const home = await tempFolder();
    await leave(home, log, header);
    const spool = await spoolOf(home, { log });
    expect(spool.takeLeftovers()).toHaveLength(1);
    expect(spool.takeLeftovers()).toEqual([]);
  });

  it('removes what says of no lease, and says so', async () => {
    const { home, log, leftovers } = await scene();
    await mkdir(join(home, 'spool', 'broken'), { recursive: true });
    await writeFile(join(home, 'spool', 'broken', 'lease.json'), '{"no": "header"}');
    expect(await leftovers()).toEqual([]);
    expect(log.lines.join()).toContain('is removed');
    expect(await readdir(join(home, 'spool'))).toEqual([]);
  });

  it('takes the events before a line that was cut off, and a spoilt ending for none', async () => {
    const { home, log, leftovers } = await scene();
    await leave(home, log, header, async (lease) => {
      lease.append(numbered(1));
      await lease.writeEnding(passed);
    });
    const folder = join(home, 'spool', `${header.leaseId}-${header.fence}`);
    await appendFile(join(folder, 'events.jsonl'), '{"seq":2,"at":"20');
    await writeFile(join(folder, 'ending.json'), '{"kind":"result","resu');
    expect(await leftovers()).toMatchObject([{ events: [numbered(1)], ending: null }]);
  });

  it('lets the run go on where it cannot be written, and says so once', async () => {
    const { home, spool, log } = await scene();
    await writeFile(join(home, 'spool'), 'a file where the folder should be');
    const lease = await spool.begin(header);
    lease.append(numbered(1));
    expect(await lease.keepPicture(picture('a', 3))).toBeNull();
    expect(await lease.writeEnding(passed)).toBe(false);
    await lease.drop();
    expect(log.lines.filter((line) => line.includes('in memory only'))).toHaveLength(1);
  });

  it('removes what starts that were killed had half written', async () => {
    const { home, leftovers } = await scene();
    await writeFile(join(home, '.spool-reserve.0123456789ab'), 'half');
    await writeFile(join(home, '.status.json.0123456789ab'), 'half');
    await leftovers();
    expect((await readdir(home)).sort()).toEqual(['spool-reserve']);
  });
});

describe('a spool at its limit', () => {
  const cap = reserveBytes + 4 * mib;

  it('drops the oldest picture for a new one', async () => {
    const { spool, leftovers, log } = await scene(undefined, cap);
    const lease = await spool.begin(header);
    for (const nodeId of ['a', 'b', 'c', 'd']) await lease.keepPicture(picture(nodeId, mib - 200));
    expect(lease.pictures().map(({ nodeId }) => nodeId)).toEqual(['b', 'c', 'd']);
    expect(log.lines.join()).toContain('dropped to make room');
    await lease.keep();
    const [leftover] = await leftovers();
    expect(leftover?.pictures().map(({ nodeId }) => nodeId)).toEqual(['b', 'c', 'd']);
  });

  it('drops pictures of other leases for events, then takes no more events, and still a result', async () => {
    const { spool, log } = await scene(undefined, cap);
    const other = await spool.begin({ ...header, fence: 4 });
    await other.keepPicture(picture('a', mib));
    const lease = await spool.begin(header);
    const logs = 'x'.repeat(8_000);
    for (let seq = 1; seq <= 520; seq += 1) {
      lease.append({
        ...numbered(seq),
        event: { type: 'step_complete', nodeId: 'n', status: 'passed', durationMs: 1, logs },
      });
      if (seq % 10 === 0) await lease.written();
    }
    await lease.written();
    expect(other.pictures()).toEqual([]);
    expect(log.lines.filter((line) => line.includes('they are sent from memory'))).toHaveLength(1);
    expect(log.lines.join()).toContain('reached its limit of 8 MiB');
    expect(await lease.writeEnding(passed)).toBe(true);
  });

  it('counts what an earlier life left, and not what was delivered', async () => {
    const { home, log } = await scene();
    await leave(home, log, header, async (lease) => {
      await lease.keepPicture(picture('a', mib - 200));
      await lease.keepPicture(picture('b', mib - 200));
    });
    const spool = await spoolOf(home, { log, capBytes: cap });
    const [leftover] = spool.takeLeftovers();
    const lease = await spool.begin({ ...header, fence: 4 });
    await lease.keepPicture(picture('c', mib - 200));
    await lease.keepPicture(picture('d', mib - 200));
    expect(leftover?.pictures().map(({ nodeId }) => nodeId)).toEqual(['b']);
    await leftover?.drop();
    await lease.keepPicture(picture('e', mib - 200));
    expect(lease.pictures().map(({ nodeId }) => nodeId)).toEqual(['c', 'd', 'e']);
  });
});

describe('a full disk', () => {
  it('fails a picture, which takes nothing from what matters more', async () => {
    const { spool, log } = await scene(smallDisk(reserveBytes + 10_000));
    const lease = await spool.begin(header);
    expect(await lease.keepPicture(picture('a', 20_000))).toBeNull();
    expect(log.lines.join()).toContain('the picture of a failure cannot be kept on disk: the disk is full');
  });

  it('drops pictures before it fails events, and uses nothing set aside for them', async () => {
    const { spool, home, disk, leftovers, log } = await scene(smallDisk(reserveBytes + 1_500));
    const lease = await spool.begin(header);
    await lease.keepPicture(picture('a', 800));
    for (let seq = 1; disk.freeBytes > 150; seq += 1) {
      lease.append(numbered(seq));
      await lease.written();
      if (seq > 100) throw new Error('this disk never fills');
    }
    for (let seq = 20; seq < 40; seq += 1) lease.append(numbered(seq));
    await lease.written();
    expect(lease.pictures()).toEqual([]);
    expect(log.lines.join()).toContain('step events cannot be kept on disk: the disk is full');
    expect((await stat(join(home, 'spool-reserve'))).size).toBe(reserveBytes);
    await lease.keep();
    const [leftover] = await leftovers();
    expect(leftover?.events.map(({ seq }) => seq)).toEqual(leftover?.events.map((_, index) => index + 1));
  });

  it('still takes how a run ended, from the room set aside, and sets it aside again later', async () => {
    const { spool, home, disk, leftovers } = await scene(smallDisk(reserveBytes + 400));
    const lease = await spool.begin(header);
    disk.freeBytes = 0;
    expect(await lease.writeEnding(passed)).toBe(true);
    expect((await stat(join(home, 'spool-reserve'))).size).toBeLessThan(reserveBytes);
    expect(await leftovers()).toMatchObject([{ ending: passed }]);
    await lease.drop();
    await expect
      .poll(() => stat(join(home, 'spool-reserve')).catch(() => null))
      .toHaveProperty('size', reserveBytes);
  });

  it('keeps the room of a result for it when a lease begins on it, whatever events come between', async () => {
    const { spool, disk } = await scene(smallDisk(reserveBytes + 400));
    disk.freeBytes = 0;
    const lease = await spool.begin(header);
    const logs = 'x'.repeat(8_000);
    for (let seq = 1; seq <= 700; seq += 1) {
      lease.append({
        ...numbered(seq),
        event: { type: 'step_complete', nodeId: 'n', status: 'passed', durationMs: 1, logs },
      });
      if (seq % 10 === 0) await lease.written();
    }
    const stepsResult = Array.from({ length: 400 }, () => ({
      ...({ nodeId: 'n', type: 'wait', status: 'passed', durationMs: 1, logs } as const),
    }));
    const ending = { kind: 'result', result: { status: 'passed', durationMs: 1, stepsResult } } as const;
    expect(Buffer.byteLength(JSON.stringify(ending))).toBeGreaterThan(3 * mib);
    expect(await lease.writeEnding(ending)).toBe(true);
  });

  it('takes how a run ended also while the room for it is being set aside again', async () => {
    const disk = slowReserve(reserveBytes + 2_000);
    const { spool, home } = await scene(disk);
    const [one, other] = [await spool.begin(header), await spool.begin({ ...header, fence: 4 })];
    disk.freeBytes = 0;
    expect(await one.writeEnding(passed)).toBe(true);
    disk.freeBytes = reserveBytes;
    await one.drop();
    await disk.isBeingSetAside;
    disk.freeBytes = 0;
    const written = other.writeEnding(passed);
    await new Promise((resolve) => setImmediate(resolve));
    disk.finish();
    expect(await written).toBe(true);
    await other.keep();
    expect((await stat(join(home, 'spool-reserve'))).size).toBeGreaterThan(0);
  });

  it('leaves no half line behind', async () => {
    const { home, log } = await scene();
    const disk = smallDisk(Number.POSITIVE_INFINITY);
    const torn = {
      ...disk,
      async openForAppending(path: string) {
        const file = await disk.openForAppending(path);
        return {
          ...file,
          append: async (text: string) => {
            if (!text.includes('"seq":2')) return file.append(text);
            throw Object.assign(new Error('disk quota exceeded'), { code: 'EDQUOT' });
          },
        };
      },
    };
    const lease = await (await spoolOf(home, { log, disk: torn })).begin(header);
    lease.append(numbered(1));
    await lease.written();
    lease.append(numbered(2));
    await lease.written();
    lease.append(numbered(3));
    await lease.keep();
    const folder = join(home, 'spool', `${header.leaseId}-${header.fence}`);
    expect(await readFile(join(folder, 'events.jsonl'), 'utf8')).toBe(`${JSON.stringify(numbered(1))}\n`);
  });
});
