import { describe, expect, it } from 'vitest';
import { UpgradeRequiredError } from '../../src/agent/client/bridge-errors.ts';
import { ShutdownError } from '../../src/agent/lease/run-outcome.ts';
import { openSpool } from '../../src/agent/spool/spool.ts';
import { CredentialsRejectedError } from '../../src/lib/errors.ts';
import type { RouteName } from '../../src/protocol/routes.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { fakeEngine, untilAborted, untilTrue } from './agent-fixture.ts';
import { agent } from './agent-scene.ts';

const revoked = (times: number) =>
  Array.from({ length: times }, () => ({ problem: 'credential_revoked' as const }));

describe('a runner that was revoked', () => {
  const heard: RouteName[] = ['heartbeat', 'postEvents', 'postResult'];

  /** Tells an event, and goes on until it is stopped, unless the result is what is refused. */
  const telling = (name: RouteName) =>
    fakeEngine(async (_, { signal, onEvent }) => {
      onEvent({ type: 'step_start', nodeId: 'w' });
      return name === 'postResult' ? undefined : untilAborted(signal);
    });

  it.each(heard)('ends with 77 while it runs its only run, when it hears so by %s', async (name) => {
    const { bridge, run } = await agent(telling(name), { once: true });
    bridge.script(name, ...revoked(9));
    bridge.queueLease();
    await expect(run()).rejects.toThrow(CredentialsRejectedError);
  });

  it.each(heard)('ends with 77 while it drains, when it hears so by %s', async (name) => {
    const scene = await agent(telling(name));
    scene.bridge.script(name, ...revoked(9));
    scene.bridge.queueLease();
    const running = scene.run();
    running.catch(() => {});
    await scene.bridge.until(() => scene.bridge.of('heartbeat').length > 0);
    scene.drain.abort(new ShutdownError('drain'));
    await expect(running).rejects.toThrow(CredentialsRejectedError);
  });

  it('stops its other runs at once, whichever of them hears so', async () => {
    const stopped: unknown[] = [];
    const { bridge, run } = await agent(
      fakeEngine(async (_, { signal }) => {
        await untilAborted(signal);
        stopped.push(signal.reason);
        return undefined;
      }),
      { concurrency: 2 },
    );
    const [one] = [bridge.queueLease(), bridge.queueLease()];
    const running = run();
    running.catch(() => {});
    await bridge.until(() => bridge.of('heartbeat').length >= 2 && bridge.controlStreams === 1);
    bridge.script('heartbeat', { problem: 'credential_revoked' });
    bridge.hint('heartbeat', { leaseId: one?.leaseId });
    await expect(running).rejects.toThrow(CredentialsRejectedError);
    expect(stopped.map(String)).toEqual(Array.from({ length: 2 }, () => expect.stringContaining('revoked')));
  });

  it('hands its run back when nothing of it acts any more, and has no time for more', async () => {
    const order: string[] = [];
    const { bridge, run } = await agent(
      fakeEngine(async (_, { signal }) => {
        await untilAborted(signal);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(`stopped, ${bridge.of('releaseLease').length} handed back`);
        return undefined;
      }),
    );
    bridge.queueLease();
    const running = run();
    running.catch(() => {});
    await bridge.until(() => bridge.of('heartbeat').length === 1 && bridge.controlStreams === 1);
    bridge.script('heartbeat', ...revoked(9));
    bridge.hint('heartbeat', { leaseId: bridge.of('heartbeat')[0]?.params['leaseId'] });
    await expect(running).rejects.toThrow(CredentialsRejectedError);
    expect(order).toEqual(['stopped, 0 handed back']);
    expect(bridge.of('releaseLease')).toMatchObject([
      { body: { reason: 'interrupted', detail: expect.stringContaining('revoked') } },
    ]);
  });

  it('while it delivers what an earlier life owed ends with 77, and keeps it', async () => {
    const first = await agent(fakeEngine(), { once: true });
    first.bridge.script('postResult', ...Array.from({ length: 50 }, () => 'drop' as const));
    first.bridge.queueLease();
    const running = first.run();
    await first.bridge.until(() => first.bridge.of('postResult').length > 0);
    first.stop.abort(new ShutdownError('stop'));
    first.bridge.clearScripts('postResult');
    first.bridge.script(
      'postResult',
      ...Array.from({ length: 50 }, () => ({ problem: 'credential_revoked' as const })),
    );
    await expect(running).rejects.toThrow(CredentialsRejectedError);
  });
});

describe('a runner whose version is over', () => {
  const over = { problem: 'upgrade_required' as const };

  it('finishes the run under way and delivers it, whatever its next poll is told', async () => {
    const finishing = new AbortController();
    const { bridge, run } = await agent(
      fakeEngine(() => untilAborted(finishing.signal)),
      { concurrency: 2 },
    );
    const lease = bridge.lease();
    bridge.script('pollLeases', { json: { leases: [lease], orders: [] } }, over);
    const running = run();
    running.catch(() => {});
    await bridge.until(() => bridge.of('heartbeat').length === 1 && bridge.of('pollLeases').length === 2);
    finishing.abort();
    await expect(running).rejects.toThrow(UpgradeRequiredError);
    expect(bridge.results.get(lease.leaseId)?.status).toBe('passed');
  });

  it('is given the time of a stop to deliver what it owed before', async () => {
    const clock = new ManualClock();
    const { bridge, run, home, identity, log } = await agent(fakeEngine(), {}, clock);
    const { leaseId, runId } = bridge.lease();
    const earlier = await openSpool(home, { log, capBytes: 1024 ** 2 });
    const { runnerId, apiBaseUrl } = identity.credentials;
    const left = await earlier.begin({ leaseId, fence: 1, runId, runnerId, apiBaseUrl });
    await left.writeEnding({
      kind: 'result',
      result: { status: 'passed', durationMs: 1, stepsResult: [] },
    });
    await left.keep();
    bridge.script('postResult', 'drop');
    bridge.script('pollLeases', over);
    const running = run();
    running.catch(() => {});
    await bridge.until(() => bridge.of('postResult').length === 1);
    // The stop's time, and two of a second: until the next try, and until the disk is forced.
    const waitsOf = (ms: number) => clock.waits.filter((wait) => wait === ms).length;
    await untilTrue(() => waitsOf(10_000) > 0 && waitsOf(1_000) === 2);
    await clock.advance(1_001);
    await bridge.until(() => bridge.results.has(leaseId));
    await expect(running).rejects.toThrow(UpgradeRequiredError);
  });
});
