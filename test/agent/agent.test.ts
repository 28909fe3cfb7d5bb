import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UpgradeRequiredError } from '../../src/agent/client/bridge-errors.ts';
import { ShutdownError } from '../../src/agent/lease/run-outcome.ts';
import { readStatusFile } from '../../src/agent/status-file.ts';
import { BridgeUnavailableError, CredentialsRejectedError } from '../../src/lib/errors.ts';
import type { Lease } from '../../src/protocol/messages.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { fakeEngine, untilAborted, untilTrue } from './agent-fixture.ts';
import { agent } from './agent-scene.ts';
import { leave } from './spool/spool-fixture.ts';

describe('a runner', () => {
  it('takes runs one after the other until it is drained, and leaves nothing', async () => {
    const { bridge, run, drain, ended, home } = await agent();
    const leases = [bridge.queueLease(), bridge.queueLease(), bridge.queueLease()];
    const running = run();
    await bridge.until(() => bridge.results.size === 3);
    await untilTrue(() => ended() === 3);
    drain.abort(new ShutdownError('drain'));
    expect(await running).toBe('drained');
    expect([...bridge.results.keys()]).toEqual(leases.map(({ leaseId }) => leaseId));
    expect(await readdir(join(home, 'spool'))).toEqual([]);
    expect(await readStatusFile(home)).toMatchObject({ state: 'ended', runs: [], runsEnded: 3 });
  });

  it('with --once ends after one run, even when two were waiting', async () => {
    const { bridge, run } = await agent(fakeEngine(), { once: true, concurrency: 4 });
    bridge.queueLease();
    bridge.queueLease();
    expect(await run()).toBe('once');
    expect(bridge.results.size).toBe(1);
    expect(bridge.of('pollLeases')).toHaveLength(1);
  });

  it('finishes the run under way when it is drained, and takes no further one', async () => {
    const gates: (() => void)[] = [];
    const engine = fakeEngine(
      () =>
        new Promise((resolve) => {
          gates.push(() => resolve(undefined));
        }),
    );
    const { bridge, run, drain } = await agent(engine);
    bridge.queueLease();
    const running = run();
    await untilTrue(() => gates.length === 1);
    bridge.queueLease();
    drain.abort(new ShutdownError('drain'));
    gates[0]?.();
    expect(await running).toBe('drained');
    expect(bridge.results.size).toBe(1);
    expect(bridge.of('pollLeases')).toHaveLength(1);
  });

  it('hands its runs back when it is stopped', async () => {
    const { bridge, run, stop } = await agent(fakeEngine((_run, { signal }) => untilAborted(signal)));
    bridge.queueLease();
    const running = run();
    await bridge.until(() => bridge.of('heartbeat').length === 1);
    stop.abort(new ShutdownError('stop'));
    expect(await running).toBe('stopped');
    expect(bridge.of('releaseLease')[0]?.body).toMatchObject({ reason: 'shutdown' });
  });

  it('polls for its free slots, and polls again for one more as soon as a slot becomes free', async () => {
    const gates: (() => void)[] = [];
    const engine = fakeEngine(
      () =>
        new Promise((resolve) => {
          gates.push(() => resolve(undefined));
        }),
    );
    const { bridge, run, drain, slots } = await agent(engine, { concurrency: 3 });
    bridge.queueLease();
    bridge.queueLease();
    const running = run();
    await untilTrue(() => gates.length === 2);
    await bridge.until(() => slots().length === 2);
    expect(slots()).toEqual([3, 1]);
    gates[0]?.();
    await bridge.until(() => slots().length === 3);
    expect(slots()).toEqual([3, 1, 2]);
    gates[1]?.();
    await bridge.until(() => slots().length === 4);
    expect(slots()).toEqual([3, 1, 2, 3]);
    drain.abort(new ShutdownError('drain'));
    await running;
  });

  it('delivers what an earlier life left: a result as it was, a run without one as interrupted', async () => {
    const home = await tempFolder();
    const { bridge, run, drain, told, identity, client, log } = await agent(fakeEngine(), { home });
    const finished = bridge.lease();
    const interrupted = bridge.lease();
    const foreign = bridge.lease();
    const header = (lease: Lease, runnerId = identity.credentials.runnerId) => ({
      leaseId: lease.leaseId,
      fence: lease.fence,
      runId: lease.runId,
      runnerId,
      apiBaseUrl: client.apiBaseUrl,
    });
    const event = {
      seq: 1,
      at: '2026-11-24T10:00:00.000Z',
      event: { type: 'step_start', nodeId: 'a' },
    } as const;
    await leave(home, log, header(finished), async (spool) => {
      spool.append(event);
      await spool.writeEnding({
        kind: 'result',
        result: { status: 'failed', durationMs: 1, stepsResult: [] },
      });
    });
    await leave(home, log, header(interrupted), async (spool) => spool.append(event));
    await leave(home, log, header(foreign, '99999999-9999-4999-8999-999999999999'));

    bridge.script('postResult', 'drop-after');
    const running = run();
    await untilTrue(() => told.filter(({ type }) => type === 'debt_ended').length === 3);
    expect(bridge.results.get(finished.leaseId)).toMatchObject({ status: 'failed' });
    expect(bridge.events.get(finished.leaseId)).toEqual([event]);
    expect(bridge.of('releaseLease')).toMatchObject([
      {
        params: { leaseId: interrupted.leaseId },
        body: { reason: 'interrupted', detail: `the life of ${interrupted.runId} was killed` },
      },
    ]);
    expect(bridge.received.filter(({ params }) => params['leaseId'] === foreign.leaseId)).toEqual([]);
    drain.abort(new ShutdownError('drain'));
    await running;
    expect(await readdir(join(home, 'spool'))).toEqual([]);
  });

  it('drops a leftover whose lease is somebody else’s by now', async () => {
    const home = await tempFolder();
    const { bridge, run, drain, told, identity, client, log } = await agent(fakeEngine(), { home });
    const leaseId = '7b0f8f0e-7a39-4c0e-9d4e-1a2b3c4d5e6f';
    bridge.lost.add(leaseId);
    const { runnerId } = identity.credentials;
    const header = { leaseId, fence: 1, runId: leaseId, runnerId, apiBaseUrl: client.apiBaseUrl };
    await leave(home, log, header, (spool) =>
      spool.writeEnding({ kind: 'result', result: { status: 'passed', durationMs: 1, stepsResult: [] } }),
    );
    const running = run();
    await untilTrue(() => told.some(({ type }) => type === 'debt_ended'));
    expect(told.find(({ type }) => type === 'debt_ended')).toMatchObject({ end: { kind: 'lost' } });
    drain.abort(new ShutdownError('drain'));
    await running;
    expect(await readdir(join(home, 'spool'))).toEqual([]);
  });

  it.each([
    ['credential_revoked', CredentialsRejectedError],
    ['credential_expired', CredentialsRejectedError],
    ['upgrade_required', UpgradeRequiredError],
  ] as const)('ends at a signed %s', async (problem, type) => {
    const { bridge, run } = await agent();
    bridge.script('pollLeases', { problem });
    await expect(run()).rejects.toThrow(type);
  });

  it('goes on after HTML, unsigned refusals and outages, and says so', async () => {
    const { bridge, run, drain, told } = await agent();
    bridge.script(
      'pollLeases',
      { raw: { status: 200, type: 'text/html', body: '<p>Log in</p>' } },
      { problem: 'credential_revoked', isSigned: false },
      'drop',
      { problem: 'internal' },
    );
    bridge.queueLease();
    const running = run();
    await bridge.until(() => bridge.results.size === 1);
    expect(told.map(({ type }) => type).slice(0, 5)).toEqual([
      'disconnected',
      'disconnected',
      'disconnected',
      'disconnected',
      'connected',
    ]);
    drain.abort(new ShutdownError('drain'));
    await running;
  });

  it('gives up when the bridge was not reached for a minute after the start', async () => {
    const clock = new ManualClock();
    const { bridge, run } = await agent(fakeEngine(), {}, clock);
    await bridge.close();
    let outcome: unknown = null;
    const running = run().catch((error: unknown) => {
      outcome = error;
    });
    while (outcome === null) await clock.advance(1_000);
    await running;
    expect(outcome).toBeInstanceOf(BridgeUnavailableError);
    expect(clock.sleepers).toBe(0);
  });

  it('says that it is connected before there is any run', async () => {
    const { bridge, run, drain, told } = await agent(fakeEngine());
    const running = run();
    await untilTrue(() => told.some(({ type }) => type === 'connected'));
    await bridge.until(() => bridge.of('pollLeases').length === 2);
    expect(bridge.of('pollLeases').map(({ body }) => (body as { waitMs: number }).waitMs)).toEqual([
      0, 25_000,
    ]);
    drain.abort(new ShutdownError('drain'));
    await running;
  });

  it('does not hammer a bridge that answers at once with nothing', async () => {
    const clock = new ManualClock();
    const { bridge, run, drain } = await agent(fakeEngine(), {}, clock);
    const empty = { json: { leases: [], orders: [] } };
    bridge.script('pollLeases', empty, empty, empty);
    const running = run();
    // The first one asks for an answer at once, to see the bridge; from the second on an empty answer came too soon.
    await bridge.until(() => bridge.of('pollLeases').length === 2);
    await untilTrue(() => clock.waits.includes(1_000));
    expect(bridge.of('pollLeases')).toHaveLength(2);
    await clock.advance(1_000);
    await bridge.until(() => bridge.of('pollLeases').length === 3);
    drain.abort(new ShutdownError('drain'));
    await running;
    expect(clock.sleepers).toBe(0);
  });

  it('polls at once on a hint while it waits after a failure', async () => {
    const clock = new ManualClock();
    const { bridge, run, drain } = await agent(fakeEngine(), {}, clock);
    bridge.script('pollLeases', { problem: 'unavailable', headers: { 'retry-after': '120' } });
    const running = run();
    await bridge.until(() => bridge.of('pollLeases').length === 1 && bridge.controlStreams === 1);
    await untilTrue(() => clock.waits.includes(121_000));
    bridge.hint('poll');
    await bridge.until(() => bridge.of('pollLeases').length === 2);
    drain.abort(new ShutdownError('drain'));
    await running;
  });

  it('heartbeats at once on a hint, and so learns of a cancel early', async () => {
    const { bridge, run, drain } = await agent(fakeEngine((_run, { signal }) => untilAborted(signal)));
    const lease = bridge.queueLease();
    const running = run();
    await bridge.until(() => bridge.of('heartbeat').length === 1 && bridge.controlStreams === 1);
    bridge.orders.set(lease.leaseId, ['cancel']);
    bridge.hint('heartbeat', { leaseId: lease.leaseId });
    await bridge.until(() => bridge.results.get(lease.leaseId)?.status === 'cancelled');
    drain.abort(new ShutdownError('drain'));
    await running;
  });

  it('works without a control stream', async () => {
    const { bridge, run, drain } = await agent();
    bridge.script('control', { problem: 'not_found' }, 'drop', 'hang');
    bridge.queueLease();
    const running = run();
    await bridge.until(() => bridge.results.size === 1 && bridge.of('control').length > 0);
    drain.abort(new ShutdownError('drain'));
    expect(await running).toBe('drained');
  });

  it('renews its key when two thirds of its life are over, and goes on with the new one', async () => {
    const clock = new ManualClock('2027-01-20T00:00:00.000Z');
    const { bridge, run, drain, saved } = await agent(fakeEngine(), {}, clock);
    const running = run();
    await untilTrue(() => saved.length === 2);
    bridge.queueLease();
    await bridge.until(() => bridge.results.size === 1);
    expect(bridge.of('postResult')[0]?.keyid).toMatch(/\.2$/);
    drain.abort(new ShutdownError('drain'));
    await running;
  });

  it('executes no more runs than it has slots for, whatever a poll brings', async () => {
    const { bridge, run, drain, ended } = await agent();
    const [first, second] = [bridge.lease(), bridge.lease()];
    bridge.script('pollLeases', { json: { leases: [first, second], orders: [] } });
    const running = run();
    await untilTrue(() => ended() === 1);
    drain.abort(new ShutdownError('drain'));
    await running;
    const named = bridge.received.flatMap(({ params }) => params['leaseId'] ?? []);
    expect(new Set(named)).toEqual(new Set([first.leaseId]));
  });

  it('that is given a run anew before it is done with it follows the hints about the new lease', async () => {
    const gates: (() => void)[] = [];
    const engine = fakeEngine(
      () =>
        new Promise((resolve) => {
          gates.push(() => resolve(undefined));
        }),
    );
    const { bridge, run, drain, ended } = await agent(engine, { concurrency: 2 });
    const old = bridge.queueLease();
    const running = run();
    await untilTrue(() => gates.length === 1);
    bridge.queueLease({ ...old, fence: 2 });
    await untilTrue(() => gates.length === 2);
    gates[0]?.();
    await untilTrue(() => ended() === 1);
    const beats = () => bridge.of('heartbeat').filter(({ body }) => (body as { fence: number }).fence === 2);
    const before = beats().length;
    await bridge.until(() => bridge.controlStreams === 1);
    bridge.hint('heartbeat', { leaseId: old.leaseId });
    await untilTrue(() => beats().length > before);
    gates[1]?.();
    drain.abort(new ShutdownError('drain'));
    await running;
  });

  it('says once when the operators drain it, goes on polling, and says when they give it runs again', async () => {
    const { bridge, run, drain, told, home } = await agent();
    const orders = () => told.filter(({ type }) => type.startsWith('drain_')).map(({ type }) => type);
    bridge.isDraining = true;
    const running = run();
    await bridge.until(() => bridge.of('pollLeases').length === 1);
    await bridge.until(() => bridge.controlStreams === 1);
    bridge.queueLease();
    await untilTrue(() => told.some(({ type }) => type === 'run_ended'));
    expect(orders()).toEqual(['drain_ordered']);
    bridge.isDraining = false;
    bridge.queueLease();
    await untilTrue(() => told.filter(({ type }) => type === 'run_ended').length === 2);
    expect(orders()).toEqual(['drain_ordered', 'drain_lifted']);
    expect(await readStatusFile(home)).toMatchObject({ drainOrdered: false });
    drain.abort(new ShutdownError('drain'));
    await running;
  });

  it('crashes with a bug, after handing the run back', async () => {
    const { bridge, run } = await agent(async () => {
      throw new TypeError('a bug');
    });
    bridge.queueLease();
    await expect(run()).rejects.toThrow('a bug');
    expect(bridge.of('releaseLease')).toHaveLength(1);
  });
});
