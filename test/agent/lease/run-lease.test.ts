import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../../src/agent/agent-event.ts';
import type { Owed } from '../../../src/agent/lease/deliver.ts';
import type { KeptLease } from '../../../src/agent/lease/keep-lease.ts';
import { type ExecuteFlow, runLease } from '../../../src/agent/lease/run-lease.ts';
import { ShutdownError } from '../../../src/agent/lease/run-outcome.ts';
import { openSpool } from '../../../src/agent/spool/spool.ts';
import {
  CancelledError,
  EnvironmentError,
  LeaseLostError,
  RunInterruptedError,
} from '../../../src/lib/errors.ts';
import { limits } from '../../../src/protocol/limits.ts';
import type { Lease } from '../../../src/protocol/messages.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { fakeEngine, fixture, untilAborted, untilTrue } from '../agent-fixture.ts';

async function leased(
  executeFlow: ExecuteFlow = fakeEngine(),
  { over = {}, clock }: { over?: Partial<Lease>; clock?: ManualClock } = {},
) {
  const base = await fixture(clock === undefined ? {} : { clock, random: () => 1 });
  const home = await tempFolder();
  const stop = new AbortController();
  const hardStop = new AbortController();
  const told: AgentEvent[] = [];
  const kept: KeptLease[] = [];
  const handedOver: Owed[] = [];
  const openAgain = () => openSpool(home, { log: base.log, capBytes: 200 * 1024 ** 2 });
  const spool = await openAgain();
  const lease = base.bridge.lease(over);
  const run = () =>
    runLease(lease, {
      ...base,
      spool,
      debts: { take: (owed) => void handedOver.push(owed) },
      executeFlow,
      areHintsHeard: () => true,
      stopSignal: stop.signal,
      hardStopSignal: hardStop.signal,
      onKept: (one) => kept.push(one),
      onDrainOrder: () => {},
      tell: (event) => told.push(event),
    });
  const spooled = async () => await readdir(join(home, 'spool')).catch(() => []);
  const resultOf = () => base.bridge.results.get(lease.leaseId);
  return { ...base, stop, hardStop, told, handedOver, openAgain, kept, lease, run, spooled, resultOf };
}

describe('a lease', () => {
  it('is taken, executed, told and delivered, and nothing of it is left', async () => {
    const { bridge, run, lease, resultOf, spooled } = await leased();
    expect(await run()).toEqual({ kind: 'delivered', status: 'passed' });
    expect(bridge.events.get(lease.leaseId)?.map(({ seq, event }) => [seq, event.type])).toEqual([
      [1, 'step_start'],
      [2, 'step_complete'],
    ]);
    expect(resultOf()).toMatchObject({ status: 'passed', stepsResult: [{ nodeId: 'w' }] });
    const names = bridge.received.map(({ name }) => name);
    expect(names.indexOf('postEvents')).toBeLessThan(names.indexOf('postResult'));
    expect(await spooled()).toEqual([]);
  });

  it('lets no step act before the first heartbeat was acknowledged, but opens the page meanwhile', async () => {
    const order: string[] = [];
    let opened: () => void = () => {};
    const pageIsOpen = new Promise<void>((resolve) => {
      opened = resolve;
    });
    const engine: ExecuteFlow = async (_run, { mayAct }) => {
      order.push('page opens');
      opened();
      await mayAct;
      order.push('acts');
      return { status: 'passed', durationMs: 1, stepsResult: [] };
    };
    const { bridge, run } = await leased(engine);
    bridge.script('heartbeat', 'drop');
    const running = run();
    await pageIsOpen;
    await bridge.until(() => bridge.of('heartbeat').length === 1);
    expect(order).toEqual(['page opens']);
    await running;
    expect(order).toEqual(['page opens', 'acts']);
    expect(bridge.of('heartbeat').length).toBeGreaterThan(1);
  });

  it('with a flow that cannot run fails with all its problems, without the engine', async () => {
    const flow = {
      nodes: [
        { id: 'a', type: 'dance' },
        { id: 's', type: 'start' },
      ],
      edges: [{ source: 's', target: 'x' }],
    };
    const { run, resultOf } = await leased(
      async () => {
        throw new Error('the engine must not be called');
      },
      { over: { flow } },
    );
    expect(await run()).toEqual({ kind: 'delivered', status: 'failed' });
    const { error } = resultOf() ?? {};
    expect(error).toMatchObject({ code: 'flow_invalid' });
    expect(error?.problems?.join()).toContain('dance');
    expect(error?.problems?.length).toBeGreaterThan(1);
  });

  it('with a variable nobody set fails naming it', async () => {
    const flow = {
      nodes: [
        { id: 's', type: 'start' },
        { id: 'n', type: 'navigate', data: { url: '{{BASE}}/x' } },
      ],
      edges: [{ source: 's', target: 'n' }],
    };
    const { run, resultOf } = await leased(fakeEngine(), { over: { flow } });
    await run();
    expect(resultOf()?.error?.problems?.join()).toContain('BASE is not set');
  });

  it('delivers its result once, however often the answer is lost', async () => {
    const { bridge, run, resultOf } = await leased();
    bridge.script('postResult', 'drop-after', { problem: 'unavailable' }, 'drop');
    expect(await run()).toEqual({ kind: 'delivered', status: 'passed' });
    expect(bridge.of('postResult')).toHaveLength(4);
    expect(new Set(bridge.of('postResult').map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(resultOf()?.status).toBe('passed');
  });

  it('that is cancelled stops the engine and says cancelled, with the steps that were done', async () => {
    const engine: ExecuteFlow = async (_run, { signal, mayAct }) => {
      await mayAct;
      await untilAborted(signal);
      const done = { nodeId: 'a', type: 'wait', status: 'passed', durationMs: 1 } as const;
      return { status: 'cancelled', durationMs: 9, stepsResult: [done] };
    };
    const { bridge, run, lease, kept, resultOf } = await leased(engine);
    const running = run();
    await bridge.until(() => bridge.of('heartbeat').length === 1);
    bridge.orders.set(lease.leaseId, ['cancel']);
    kept[0]?.beatNow();
    expect(await running).toEqual({ kind: 'delivered', status: 'cancelled' });
    expect(resultOf()).toMatchObject({ error: { code: 'cancelled' }, stepsResult: [{ nodeId: 'a' }] });
  });

  it('that was cancelled before it began is delivered as cancelled', async () => {
    const { bridge, run, lease, resultOf } = await leased();
    bridge.orders.set(lease.leaseId, ['cancel']);
    expect(await run()).toEqual({ kind: 'delivered', status: 'cancelled' });
    expect(resultOf()?.stepsResult).toEqual([]);
  });

  it('that is lost in the middle stops acting, sends nothing more and leaves nothing', async () => {
    let reason: unknown = null;
    const engine = fakeEngine(async (_run, { signal }) => {
      await untilAborted(signal);
      reason = signal.reason;
      return undefined;
    });
    const { bridge, run, lease, kept, spooled } = await leased(engine);
    const running = run();
    await bridge.until(() => bridge.of('heartbeat').length === 1);
    bridge.lost.add(lease.leaseId);
    kept[0]?.beatNow();
    expect(await running).toMatchObject({ kind: 'lost' });
    expect(reason).toBeInstanceOf(LeaseLostError);
    expect(bridge.of('postResult')).toEqual([]);
    expect(await spooled()).toEqual([]);
  });

  it('whose events are answered lease_lost stops too', async () => {
    const engine = fakeEngine(async (_run, { signal, onEvent }) => {
      onEvent({ type: 'step_start', nodeId: 'a' });
      return untilAborted(signal);
    });
    const { bridge, run } = await leased(engine);
    bridge.script('postEvents', { problem: 'lease_lost' });
    expect(await run()).toMatchObject({ kind: 'lost' });
  });

  it('stops acting by itself before its time is up when the bridge is gone, and is handed back when it is there again', async () => {
    const clock = new ManualClock();
    let stoppedAtMs = 0;
    const engine = fakeEngine(async (_run, { signal }) => {
      await untilAborted(signal);
      stoppedAtMs = clock.monotonicMs();
      return undefined;
    });
    const { bridge, run, handedOver } = await leased(engine, { clock });
    const beganMs = clock.monotonicMs();
    const running = run();
    await bridge.until(() => bridge.of('heartbeat').length === 1);
    await untilTrue(() => clock.waits.length === 2);
    await bridge.close();
    await clock.advance(60_000);
    expect(await running).toMatchObject({ kind: 'kept', isOnDisk: true });
    expect(handedOver).toMatchObject([
      {
        ending: {
          kind: 'release',
          reason: 'interrupted',
          detail: 'no heartbeat was acknowledged for 55 s',
        },
      },
    ]);
    for (const { outbox } of handedOver) outbox.stop();
    expect(stoppedAtMs - beganMs).toBeLessThanOrEqual(55_000);
    expect(clock.sleepers).toBe(0);
  });

  it('is handed back when what executed it has ended, with the reason', async () => {
    const { bridge, run, spooled } = await leased(async () => {
      throw new RunInterruptedError('the browser ended unexpectedly');
    });
    expect(await run()).toEqual({ kind: 'released', reason: 'interrupted' });
    expect(bridge.of('releaseLease')[0]?.body).toEqual({
      fence: 1,
      reason: 'interrupted',
      detail: 'the browser ended unexpectedly',
    });
    expect(await spooled()).toEqual([]);
  });

  it('that is acknowledged too late is told as asked for only, and begins nothing', async () => {
    let acted = false;
    const engine: ExecuteFlow = async (_run, { mayAct, signal }) => {
      await mayAct.catch(() => {});
      acted ||= !signal.aborted;
      return { status: 'cancelled', durationMs: 1, stepsResult: [] };
    };
    const { bridge, run, told, spooled } = await leased(engine);
    bridge.script('heartbeat', { problem: 'lease_lost' });
    expect(await run()).toMatchObject({ kind: 'lost' });
    expect([acted, told.map((event) => (event.type === 'deed' ? event.deed.type : event.type))]).toEqual([
      false,
      ['run_asked', 'run_ended'],
    ]);
    expect(bridge.received.map(({ name }) => name)).toEqual(['heartbeat']);
    expect(await spooled()).toEqual([]);
  });

  it('that is auto begins no step with side effects before the bridge has its start', async () => {
    let mayBegin = false;
    const engine = fakeEngine(async (_run, { onEvent, sideEffectsMayBegin }) => {
      onEvent({ type: 'step_start', nodeId: 'w' });
      await sideEffectsMayBegin();
      mayBegin = true;
      return undefined;
    });
    const { bridge, run, lease } = await leased(engine, { over: { onRedelivery: 'auto' } });
    bridge.script('postEvents', 'drop', { problem: 'unavailable' });
    const running = run();
    await bridge.until(() => bridge.of('postEvents').length === 2);
    expect([mayBegin, bridge.events.get(lease.leaseId)]).toEqual([false, undefined]);
    await untilTrue(() => mayBegin);
    expect(bridge.events.get(lease.leaseId)?.[0]?.event).toEqual({ type: 'step_start', nodeId: 'w' });
    await running;
  });

  it('that is not auto waits for no answer before its steps', async () => {
    const engine = fakeEngine(async (_run, { sideEffectsMayBegin }) => {
      await sideEffectsMayBegin();
      return undefined;
    });
    const { bridge, run } = await leased(engine, { over: { onRedelivery: 'rerun' } });
    await run();
    expect(bridge.of('postEvents').length).toBeLessThanOrEqual(1);
  });

  it('is handed back when the browser cannot start, with the reason', async () => {
    const { bridge, run, spooled } = await leased(async () => {
      throw new EnvironmentError('the browser does not start: missing libnss3.so');
    });
    expect(await run()).toEqual({ kind: 'released', reason: 'cannot_start' });
    expect(bridge.of('releaseLease')[0]?.body).toEqual({
      fence: 1,
      reason: 'cannot_start',
      detail: 'the browser does not start: missing libnss3.so',
    });
    expect(await spooled()).toEqual([]);
  });

  it('is handed back at a shutdown, after its events', async () => {
    const engine = fakeEngine(async (_run, { signal, onEvent }) => {
      onEvent({ type: 'step_start', nodeId: 'a' });
      return untilAborted(signal);
    });
    const { bridge, run, stop, lease } = await leased(engine);
    const running = run();
    await bridge.until(() => bridge.of('heartbeat').length === 1);
    stop.abort(new ShutdownError('the runner is being stopped'));
    expect(await running).toEqual({ kind: 'released', reason: 'shutdown' });
    expect(bridge.events.get(lease.leaseId)).toHaveLength(1);
  });

  it('passes a bug of the engine on, after handing the run back', async () => {
    const { bridge, run } = await leased(async () => {
      throw new TypeError('cannot read properties of undefined');
    });
    await expect(run()).rejects.toThrow(TypeError);
    expect(bridge.of('releaseLease')[0]?.body).toMatchObject({ reason: 'interrupted' });
  });

  it('keeps a verdict that came in the same moment as the cancel', async () => {
    const stop = new AbortController();
    const engine: ExecuteFlow = async () => {
      stop.abort(new CancelledError('too late'));
      return { status: 'failed', durationMs: 1, stepsResult: [] };
    };
    const base = await leased(engine);
    stop.signal.addEventListener('abort', () => base.stop.abort(stop.signal.reason));
    expect(await base.run()).toEqual({ kind: 'delivered', status: 'failed' });
  });

  it('leaves an undelivered result on disk when the runner must end', async () => {
    const { bridge, run, hardStop, openAgain } = await leased();
    bridge.script('postResult', 'hang');
    const running = run();
    await bridge.until(() => bridge.of('postResult').length === 1);
    hardStop.abort(new CancelledError('end'));
    expect(await running).toMatchObject({ kind: 'kept' });
    const [leftover] = (await openAgain()).takeLeftovers();
    expect(leftover).toMatchObject({
      ending: { kind: 'result', result: { status: 'passed' } },
      events: [{ seq: 1 }, { seq: 2 }],
    });
  });

  it('is not told as lost when a heartbeat hears of the end that its own result brought', async () => {
    const { bridge, run, kept, handedOver, lease, spooled } = await leased();
    bridge.script('postResult', 'hang');
    const running = run();
    await bridge.until(() => bridge.of('postResult').length === 1);
    bridge.script('heartbeat', { problem: 'lease_lost' });
    kept[0]?.beatNow();
    expect(await running).toMatchObject({ kind: 'kept' });
    expect(handedOver).toMatchObject([{ header: { runId: lease.runId }, ending: { kind: 'result' } }]);
    expect(await spooled()).toHaveLength(1);
    for (const { outbox } of handedOver) outbox.stop();
  });

  it('delivers a failure with the address of its picture, or why it has none', async () => {
    const engine = fakeEngine(async (_run, { keepScreenshot }) => {
      const kept = await keepScreenshot({
        nodeId: 'w',
        bytes: new Uint8Array([9]),
        contentType: 'image/png',
      });
      const step = { nodeId: 'w', type: 'wait', status: 'failed', durationMs: 1, error: 'no' } as const;
      const picture = 'url' in kept ? { screenshotUrl: kept.url } : { screenshotProblem: kept.problem };
      return { status: 'failed', stepsResult: [{ ...step, ...picture }] };
    });
    const good = await leased(engine);
    await good.run();
    expect(good.resultOf()?.stepsResult[0]?.screenshotUrl).toContain('/public/');
    const bad = await leased(engine);
    bad.bridge.script('requestUpload', { problem: 'artifact_refused' });
    await bad.run();
    expect(bad.resultOf()?.stepsResult[0]?.screenshotProblem).toContain('artifact_refused');
  });

  it('shortens a result that is larger than the bridge takes', async () => {
    const logs = 'x'.repeat(limits.textLength);
    const stepsResult = Array.from({ length: 1_000 }, (_, index) => ({
      nodeId: `n${index}`,
      type: 'wait',
      status: 'passed' as const,
      durationMs: 1,
      logs,
    }));
    const { run, resultOf } = await leased(fakeEngine(async () => ({ stepsResult })));
    expect(await run()).toMatchObject({ kind: 'delivered' });
    expect(resultOf()?.stepsResult).toHaveLength(1_000);
    expect(resultOf()?.stepsResult[0]).not.toHaveProperty('logs');
  });

  it('is not left hanging when it is the last events that the bridge refuses', async () => {
    const { bridge, run, resultOf } = await leased();
    bridge.script('postResult', { problem: 'malformed_request' }, { problem: 'malformed_request' });
    expect(await run()).toEqual({ kind: 'delivered', status: 'passed' });
    expect(resultOf()?.stepsResult).not.toEqual([]);
    expect(bridge.of('postResult').at(-1)?.body).not.toHaveProperty('lastEvents');
  });

  it('is not left hanging when the bridge refuses the form of the result', async () => {
    const { bridge, run, resultOf } = await leased();
    bridge.script('postResult', { problem: 'malformed_request' });
    expect(await run()).toEqual({ kind: 'delivered', status: 'passed' });
    expect(resultOf()).toMatchObject({ error: { code: 'result_refused' }, stepsResult: [] });
  });
});
