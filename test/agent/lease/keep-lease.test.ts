import { describe, expect, it, onTestFinished } from 'vitest';
import type { BridgeClient } from '../../../src/agent/client/bridge-client.ts';
import { keepLease, RunTimeoutError } from '../../../src/agent/lease/keep-lease.ts';
import {
  CancelledError,
  CredentialsRejectedError,
  LeaseLostError,
  RunInterruptedError,
} from '../../../src/lib/errors.ts';
import type { Lease } from '../../../src/protocol/messages.ts';
import type { Script } from '../../support/fake-bridge.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { fixture, untilTrue } from '../agent-fixture.ts';

async function kept({
  first = [],
  over = {},
  areHintsHeard = true,
}: {
  first?: Script[];
  over?: Partial<Lease>;
  areHintsHeard?: boolean;
} = {}) {
  const clock = new ManualClock();
  const base = await fixture({ clock, random: () => 1 });
  const { bridge } = base;
  bridge.script('heartbeat', ...first);
  const ends: Error[] = [];
  let drains = 0;
  let nodeId: string | null = null;
  let inFlight = 0;
  const client: BridgeClient = {
    ...base.client,
    call: (name, request) => {
      inFlight += 1;
      return base.client.call(name, request).finally(() => {
        inFlight -= 1;
      });
    },
  };
  const lease = bridge.lease(over);
  const keeper = keepLease(lease, {
    ...base,
    client,
    currentNodeId: () => nodeId,
    areHintsHeard: () => areHintsHeard,
    onEnd: (reason) => void ends.push(reason),
    onDrainOrder: (isOrdered) => {
      if (isOrdered) drains += 1;
    },
    onCancelOrder: () => {},
  });
  onTestFinished(async () => {
    await keeper.stop();
    expect(clock.sleepers).toBe(0);
  });
  const beats = (count: number) =>
    bridge.until(() => bridge.of('heartbeat').length >= count, `${count} heartbeats`);
  /** The answer was taken: nothing waits but the pause until the next heartbeat and the watch. */
  const idle = () => untilTrue(() => inFlight === 0 && clock.waits.length === 2);
  return {
    ...base,
    lease,
    keeper,
    ends,
    beats,
    idle,
    drains: () => drains,
    at: (id: string) => {
      nodeId = id;
    },
  };
}

describe('keeping a lease', () => {
  it('heartbeats at once, and steps may act from the first acknowledgement on', async () => {
    const { bridge, keeper, lease } = await kept();
    await keeper.taken;
    expect(bridge.of('heartbeat')).toMatchObject([
      { params: { leaseId: lease.leaseId }, body: { fence: 1, nodeId: null } },
    ]);
  });

  it('heartbeats again within the interval, naming the step', async () => {
    const { bridge, keeper, clock, beats, idle, at, ends } = await kept();
    await keeper.taken;
    await idle();
    at('click 1');
    await clock.advance(15_000);
    await beats(2);
    expect(bridge.of('heartbeat')[1]?.body).toMatchObject({ nodeId: 'click 1' });
    await idle();
    await clock.advance(15_000);
    await beats(3);
    expect(ends).toEqual([]);
  });

  it('fences itself 5 s before the lease ends, counted from when the last acknowledged heartbeat was sent', async () => {
    const { bridge, keeper, clock, beats, idle, ends } = await kept();
    await keeper.taken; // sent at 0
    await idle();
    await clock.advance(15_000);
    await beats(2); // sent at 15 s and acknowledged
    await idle();
    await bridge.close();
    await clock.advance(54_900);
    expect(ends).toEqual([]);
    await clock.advance(200);
    expect(ends[0]).toBeInstanceOf(RunInterruptedError);
    expect(ends).toHaveLength(1);
    expect(ends[0]?.message).toBe('no heartbeat was acknowledged for 55 s');
  });

  it('heartbeats no more once it has fenced itself', async () => {
    const { bridge, keeper, clock, idle, ends } = await kept();
    await keeper.taken;
    await idle();
    clock.standStill(56_000);
    expect(() => keeper.ensureOurs()).toThrow(RunInterruptedError);
    await clock.advance(60_000);
    expect([ends.length, bridge.of('heartbeat').length]).toEqual([1, 1]);
  });

  it('is over at once when the machine wakes after its time, before any timer fires, and says that it slept', async () => {
    const { keeper, clock, idle, ends } = await kept();
    await keeper.taken;
    await idle();
    clock.sleepMachine(41 * 60_000);
    expect(() => keeper.ensureOurs()).toThrow('this machine or process stood still for 41 min');
    expect(ends).toHaveLength(1);
    expect(ends[0]?.message).toBe(
      'no heartbeat was acknowledged for 41 min: this machine or process stood still for 41 min',
    );
  });

  it('notices a sleep by itself within 250 ms', async () => {
    const { keeper, clock, idle, ends } = await kept();
    await keeper.taken;
    await idle();
    clock.sleepMachine(41 * 60_000);
    await clock.advance(250);
    expect(ends[0]?.message).toContain('stood still for 41 min');
  });

  it('goes on after a sleep that is shorter than its time, and heartbeats at once', async () => {
    const { keeper, clock, idle, ends, beats } = await kept();
    await keeper.taken;
    await idle();
    clock.sleepMachine(40_000);
    await clock.advance(250);
    await beats(2);
    await idle();
    expect(() => keeper.ensureOurs()).not.toThrow();
    await clock.advance(14_000);
    expect(ends).toEqual([]);
  });

  it('takes nothing by an answer that waited for the machine to wake', async () => {
    const { keeper, clock, ends, bridge } = await kept({ first: ['hang'] });
    await bridge.until(() => bridge.of('heartbeat').length === 1);
    clock.sleepMachine(41 * 60_000);
    await clock.advance(250);
    await expect(keeper.taken).rejects.toThrow(RunInterruptedError);
    expect(ends).toHaveLength(1);
  });

  it('heartbeats every 4 s while hints about orders do not get through', async () => {
    const { keeper, clock, beats, idle } = await kept({ areHintsHeard: false });
    await keeper.taken;
    for (let count = 2; count < 6; count += 1) {
      await idle();
      await clock.advance(4_000);
      await beats(count);
    }
  });

  it('does not let a wall clock that is set end or prolong the lease', async () => {
    const { keeper, clock, idle, ends } = await kept();
    await keeper.taken;
    await idle();
    clock.setWall(Date.parse('2031-01-01T00:00:00.000Z'));
    await clock.advance(1_000);
    expect(ends).toEqual([]);
  });

  it('survives heartbeats that are lost, as long as one comes through in time', async () => {
    const { keeper, clock, beats, idle, ends, bridge } = await kept();
    await keeper.taken;
    for (let round = 0; round < 8; round += 1) {
      await idle();
      bridge.script('heartbeat', 'drop', { problem: 'unavailable' });
      await clock.advance(15_000);
      for (let lost = 0; lost < 2; lost += 1) {
        await idle();
        await clock.advance(5_000);
      }
      await beats(4 + 3 * round);
    }
    expect(ends).toEqual([]);
  });

  it('sends a heartbeat that hangs again', async () => {
    const { keeper, clock, beats, idle, ends, bridge } = await kept();
    await keeper.taken;
    await idle();
    bridge.script('heartbeat', 'hang');
    await clock.advance(15_000);
    await beats(2);
    await clock.advance(10_000); // given up
    await idle();
    await clock.advance(1_000); // the wait before the next try
    await beats(3);
    await idle();
    await clock.advance(40_000);
    expect(ends).toEqual([]);
  });

  it('ends the run when the bridge says that the lease is lost', async () => {
    const { keeper, ends } = await kept({ first: [{ problem: 'lease_lost' }] });
    await expect(keeper.taken).rejects.toThrow(LeaseLostError);
    expect(ends[0]).toBeInstanceOf(LeaseLostError);
  });

  it('does not end it for an unsigned lease_lost', async () => {
    const { keeper, ends, clock, idle } = await kept({ first: [{ problem: 'lease_lost', isSigned: false }] });
    await idle();
    await clock.advance(500);
    await keeper.taken;
    expect(ends).toEqual([]);
  });

  it.each<[string, Script]>([
    ['a signed refusal of it', { problem: 'malformed_request' }],
    [
      'a proxy that asks for five minutes',
      { problem: 'unavailable', isSigned: false, headers: { 'retry-after': '300' } },
    ],
    ['a bridge that asks for five minutes', { problem: 'unavailable', headers: { 'retry-after': '300' } }],
  ])('goes on through %s, while there is time', async (_, script) => {
    const { keeper, ends, clock, idle, beats, bridge } = await kept();
    await keeper.taken;
    await idle();
    bridge.script('heartbeat', script);
    await clock.advance(15_000);
    await beats(2);
    await idle();
    await clock.advance(16_000);
    await beats(3);
    await idle();
    await clock.advance(40_000);
    expect(ends).toEqual([]);
  });

  it('fences itself when its heartbeats are refused until its time is over', async () => {
    const { keeper, ends, clock, bridge } = await kept();
    await keeper.taken;
    bridge.script('heartbeat', ...Array.from({ length: 99 }, () => ({ problem: 'not_allowed' as const })));
    for (let ms = 0; ms < 56_000; ms += 250) await clock.advance(250);
    expect(ends).toMatchObject([{ code: 'interrupted' }]);
  });

  it('hands credentials that are over to the runner', async () => {
    const { ends, keeper } = await kept({ first: [{ problem: 'credential_revoked' }] });
    await expect(keeper.taken).rejects.toThrow(CredentialsRejectedError);
    expect(ends[0]).toBeInstanceOf(CredentialsRejectedError);
  });

  it('brings orders: cancel ends the run while the lease is kept, drain is passed on, others are ignored', async () => {
    const { bridge, keeper, lease, ends, drains, clock, idle, beats } = await kept();
    await keeper.taken;
    await idle();
    bridge.orders.set(lease.leaseId, ['drain', 'dance']);
    await clock.advance(15_000);
    await beats(2);
    await idle();
    expect([drains(), ends]).toEqual([1, []]);
    bridge.orders.set(lease.leaseId, ['cancel']);
    await clock.advance(15_000);
    await beats(3);
    await untilTrue(() => ends.length === 1);
    expect(ends[0]).toBeInstanceOf(CancelledError);
    await idle();
    await clock.advance(15_000);
    await beats(4);
  });

  it('heartbeats now when a hint asks for it', async () => {
    const { keeper, beats, idle } = await kept();
    await keeper.taken;
    await idle();
    keeper.beatNow();
    await beats(2);
  });

  it('ends a run at the deadline of the bridge', async () => {
    const { keeper, clock, ends, idle, bridge } = await kept();
    bridge.script('heartbeat');
    await keeper.taken;
    await idle();
    for (let minutes = 0; minutes < 16 && ends.length === 0; minutes += 0.25) {
      bridge.script('heartbeat', {
        json: { ttlMs: 60_000, remainingMs: (15 - minutes) * 60_000 - 15_000, orders: [] },
      });
      await clock.advance(15_000);
      if (ends.length === 0) await idle();
    }
    expect(ends[0]).toBeInstanceOf(RunTimeoutError);
  });
});
