import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDebts } from '../../../src/agent/lease/debts.ts';
import { Outbox } from '../../../src/agent/lease/outbox.ts';
import { ShutdownError } from '../../../src/agent/lease/run-outcome.ts';
import type { KeptPicture } from '../../../src/agent/spool/kept-pictures.ts';
import type { LeaseSpool } from '../../../src/agent/spool/lease-spool.ts';
import { readStatusFile } from '../../../src/agent/status-file.ts';
import { EnvironmentError } from '../../../src/lib/errors.ts';
import type { RunResult } from '../../../src/protocol/run-result.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { fakeEngine, fixture, untilTrue } from '../agent-fixture.ts';
import { agent } from '../agent-scene.ts';
import { header, leave, passed } from '../spool/spool-fixture.ts';

const failed: RunResult = {
  status: 'failed',
  durationMs: 1,
  stepsResult: [
    { nodeId: 'w', type: 'wait', status: 'failed', durationMs: 1, error: 'no', screenshotProblem: 'later' },
  ],
};
const picture = { nodeId: 'w', contentType: 'image/png', bytes: new Uint8Array([1, 2, 3]) } as const;

/** A runner whose bridge goes away when its run has been executed. */
async function outage(over: { once?: boolean } = {}) {
  const clock = new ManualClock();
  let goAway = async (): Promise<void> => {};
  const scene = await agent(
    fakeEngine(async () => {
      await goAway();
      return undefined;
    }),
    over,
    clock,
  );
  const { bridge, told, home } = scene;
  const port = Number(new URL(bridge.url).port);
  goAway = () => bridge.close();
  const lease = bridge.queueLease();
  const running = scene.run();
  const spooled = () => readdir(join(home, 'spool'));
  const end = (type: 'run_ended' | 'debt_ended') => told.find((event) => event.type === type);
  await untilTrue(() => told.some(({ type }) => type === 'run_started'));
  return { ...scene, clock, lease, running, spooled, end, comeBack: () => bridge.listen(port) };
}

/** What is owed of a run that has passed, to a bridge that is away. */
async function owedResult() {
  const base = await fixture();
  await base.bridge.close();
  const outbox = new Outbox(header, {
    ...base,
    spool: null,
    signal: new AbortController().signal,
    onLost: () => {},
  });
  return { ...base, outbox };
}

describe('what a runner owes', () => {
  it('leaves the slot when the lease is over, and is delivered when the bridge is back', async () => {
    const { bridge, clock, home, lease, running, spooled, end, comeBack, drain, slots, log } = await outage();
    while (end('run_ended') === undefined) await clock.advance(1_000);
    expect(end('run_ended')).toMatchObject({ end: { kind: 'kept', isOnDisk: true } });
    expect(await spooled()).toHaveLength(1);
    while ((await readStatusFile(home))?.runsOwed !== 1) await clock.advance(1_000);
    await clock.advance(6 * 3_600_000);
    await comeBack();
    const polls = slots().length;
    while (end('debt_ended') === undefined || slots().length === polls) await clock.advance(1_000);
    expect(end('debt_ended')).toMatchObject({
      runId: lease.runId,
      end: { kind: 'delivered', status: 'passed' },
    });
    expect(bridge.events.get(lease.leaseId)).toHaveLength(2);
    expect(bridge.results.get(lease.leaseId)).toMatchObject({ status: 'passed' });
    expect(await spooled()).toEqual([]);
    drain.abort(new ShutdownError('drain'));
    await running;
    expect(await readStatusFile(home)).toMatchObject({ runsOwed: 0 });
    // Six hours of tries leave a line of each kind at once, and one an hour.
    const kinds = log.lines
      .filter((line) => line.startsWith('warn'))
      .map((line) => line.split(': cannot')[0]);
    expect(kinds).toContain('warn: a heartbeat was not acknowledged');
    for (const kind of new Set(kinds)) expect(kinds.filter((each) => each === kind).length).toBeLessThan(9);
  });

  it('keeps a runner that runs once until it is delivered', async () => {
    const { bridge, clock, lease, running, end, comeBack } = await outage({ once: true });
    let isOver = false;
    void running.then(() => {
      isOver = true;
    });
    while (end('run_ended') === undefined) await clock.advance(1_000);
    await clock.advance(3_600_000);
    expect(isOver).toBe(false);
    await comeBack();
    while (!isOver) await clock.advance(1_000);
    expect(bridge.results.get(lease.leaseId)).toMatchObject({ status: 'passed' });
  });

  it('of an earlier life, which the bridge cannot take, does not keep a runner that runs once', async () => {
    const clock = new ManualClock();
    const home = await tempFolder();
    const { bridge, run, told, log, identity, client } = await agent(
      fakeEngine(),
      { home, once: true },
      clock,
    );
    const poison = bridge.lease();
    const { leaseId, fence, runId } = poison;
    const { runnerId } = identity.credentials;
    await leave(home, log, { leaseId, fence, runId, runnerId, apiBaseUrl: client.apiBaseUrl });
    bridge.script('releaseLease', ...Array.from({ length: 500 }, () => ({ problem: 'internal' as const })));
    const own = bridge.queueLease();
    let isOver = false;
    const running = run().finally(() => {
      isOver = true;
    });
    while (!isOver) await clock.advance(1_000);
    expect(await running).toBe('once');
    expect(bridge.results.get(own.leaseId)).toMatchObject({ status: 'passed' });
    expect(told.find(({ type }) => type === 'debt_ended')).toMatchObject({ runId, end: { kind: 'kept' } });
    expect(await readdir(join(home, 'spool'))).toHaveLength(1);
  });

  it('stays on disk when the runner is told to end while the bridge is away', async () => {
    const { clock, running, spooled, end, drain } = await outage();
    while (end('run_ended') === undefined) await clock.advance(1_000);
    drain.abort(new ShutdownError('drain'));
    while (end('debt_ended') === undefined) await clock.advance(1_000);
    expect(await running).toBe('drained');
    expect(end('debt_ended')).toMatchObject({ end: { kind: 'kept', isOnDisk: true } });
    expect(await spooled()).toHaveLength(1);
    expect(clock.sleepers).toBe(0);
  });

  it('that the bridge fails to take for hours holds up nothing else, and does not fill the log', async () => {
    const home = await tempFolder();
    const clock = new ManualClock();
    const { bridge, run, drain, told, log, identity, client } = await agent(fakeEngine(), { home }, clock);
    const { runnerId } = identity.credentials;
    const left = async (fill: (spool: LeaseSpool) => Promise<unknown>) => {
      const { leaseId, fence, runId } = bridge.lease();
      await leave(home, log, { leaseId, fence, runId, runnerId, apiBaseUrl: client.apiBaseUrl }, fill);
      return runId;
    };
    await left((spool) => spool.writeEnding({ kind: 'result', result: failed }));
    const handedBack = await left(async () => {});
    bridge.script('postResult', ...Array.from({ length: 2_000 }, () => ({ problem: 'internal' as const })));
    const running = run();
    await bridge.until(() => bridge.of('releaseLease').length === 1);
    while (bridge.of('postResult').length < 150) await clock.advance(30_000);
    expect(told).toContainEqual(expect.objectContaining({ type: 'debt_ended', runId: handedBack }));
    const warnings = log.lines.filter((line) => line.startsWith('warn: the result waits'));
    expect(warnings.length).toBeGreaterThan(1);
    expect(warnings.length).toBeLessThan(6);
    drain.abort(new ShutdownError('drain'));
    while (told.filter(({ type }) => type === 'debt_ended').length < 2) await clock.advance(1_000);
    await running;
  });

  it('is on its way before there is a browser, even when there never is one', async () => {
    const home = await tempFolder();
    const { bridge, run, log, identity, client } = await agent(fakeEngine(), { home });
    const { leaseId, fence, runId } = bridge.lease();
    const { runnerId } = identity.credentials;
    const header = { leaseId, fence, runId, runnerId, apiBaseUrl: client.apiBaseUrl };
    await leave(home, log, header);
    const noBrowser = async () => {
      throw new EnvironmentError('no browser was found');
    };
    await expect(run(noBrowser)).rejects.toThrow('no browser was found');
    expect(bridge.of('releaseLease')).toMatchObject([{ body: { reason: 'interrupted' } }]);
    expect(await readdir(join(home, 'spool'))).toEqual([]);
  });
});

it('pictures of many results that are owed are not all in memory at once, and each gets its turn', async () => {
  const base = await fixture();
  let ended = 0;
  const debts = openDebts({
    ...base,
    tell({ type }) {
      if (type === 'debt_ended') ended += 1;
    },
  });
  const reads: (() => void)[] = [];
  for (let each = 0; each < 12; each += 1) {
    const { leaseId, fence, runId } = base.bridge.lease();
    const own = { ...header, leaseId, fence, runId };
    const signal = new AbortController().signal;
    const outbox = new Outbox(own, { ...base, spool: null, signal, onLost: () => {} });
    const read = async () => {
      await new Promise<void>((resolve) => reads.push(resolve));
      return picture;
    };
    const kept: KeptPicture[] = [];
    kept.push({ nodeId: 'w', read, drop: async () => void kept.pop() });
    debts.take({
      ...{ header: own, outbox, ending: { kind: 'result', result: failed }, isOnDisk: true },
      ...{ pictures: () => kept, force: async () => {}, drop: async () => {}, keep: async () => {} },
    });
  }
  await untilTrue(() => reads.length === 4);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(reads).toHaveLength(4);
  for (let done = 0; done < 12; done += 1) {
    await untilTrue(() => reads.length > done);
    reads[done]?.();
  }
  await debts.settled();
  expect(ended).toBe(12);
  expect(base.bridge.results.size).toBe(12);
  expect(base.bridge.uploads.size).toBeGreaterThan(0);
  await debts.stop();
});

it('a runner that ends leaves nothing at work on its disk', async () => {
  const { outbox, ...base } = await owedResult();
  const debts = openDebts({ ...base, tell: () => {} });
  let finish = (): void => {};
  const forced = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let isOver = false;
  debts.take({
    ...{ header, outbox, ending: passed, isOnDisk: true, pictures: () => [] },
    force: () => forced,
    drop: async () => {},
    keep: () => forced,
  });
  const stopped = debts.stop().then(() => {
    isOver = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isOver).toBe(false);
  finish();
  await stopped;
});

describe('a picture that could not be uploaded', () => {
  it('goes with a result that had to wait', async () => {
    const { bridge, run, drain } = await agent(
      fakeEngine(async (_run, { keepScreenshot }) => {
        const uploaded = await keepScreenshot(picture);
        bridge.storageStatus = 200;
        expect(uploaded).toEqual({ problem: expect.stringContaining('503') });
        return failed;
      }),
    );
    bridge.storageStatus = 503;
    bridge.script('postResult', 'drop');
    const lease = bridge.queueLease();
    const running = run();
    await bridge.until(() => bridge.results.size === 1);
    const [step] = bridge.results.get(lease.leaseId)?.stepsResult ?? [];
    expect(step).toMatchObject({ screenshotUrl: expect.stringContaining('/public/') });
    expect(step).not.toHaveProperty('screenshotProblem');
    expect([...bridge.uploads.values()].at(-1)?.bytes).toEqual(Buffer.from(picture.bytes));
    drain.abort(new ShutdownError('drain'));
    await running;
  });

  it('does not hold up a result that need not wait', async () => {
    const { bridge, run, drain } = await agent(
      fakeEngine(async (_run, { keepScreenshot }) => {
        await keepScreenshot(picture);
        return failed;
      }),
    );
    bridge.storageStatus = 503;
    const lease = bridge.queueLease();
    const running = run();
    await bridge.until(() => bridge.results.size === 1);
    expect(bridge.results.get(lease.leaseId)).toEqual(failed);
    expect(bridge.of('requestUpload')).toHaveLength(1);
    drain.abort(new ShutdownError('drain'));
    await running;
  });

  it('goes with the result that an earlier life left, and a storage that still fails keeps neither', async () => {
    const home = await tempFolder();
    const { bridge, run, drain, told, log, identity, client } = await agent(fakeEngine(), { home });
    const { runnerId } = identity.credentials;
    const leases = [bridge.lease(), bridge.lease()];
    for (const { leaseId, fence, runId } of leases) {
      await leave(
        home,
        log,
        { leaseId, fence, runId, runnerId, apiBaseUrl: client.apiBaseUrl },
        async (spool) => {
          await spool.keepPicture(picture);
          await spool.writeEnding({ kind: 'result', result: failed });
        },
      );
    }
    const refused = leases[1]?.leaseId ?? '';
    bridge.refusesPicturesOf.add(refused);
    const running = run();
    await untilTrue(() => told.filter(({ type }) => type === 'debt_ended').length === 2);
    const [uploaded, kept] = leases.map(({ leaseId }) => bridge.results.get(leaseId)?.stepsResult[0]);
    expect(uploaded).toHaveProperty('screenshotUrl');
    expect(kept).toEqual(failed.stepsResult[0]);
    expect(await readdir(join(home, 'spool'))).toEqual([]);
    drain.abort(new ShutdownError('drain'));
    await running;
  });
});
