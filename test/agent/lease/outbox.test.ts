import { describe, expect, it } from 'vitest';
import { Outbox } from '../../../src/agent/lease/outbox.ts';
import type { LeaseLostError } from '../../../src/lib/errors.ts';
import { limits } from '../../../src/protocol/limits.ts';
import type { RequestOf } from '../../../src/protocol/routes.ts';
import type { StepEvent } from '../../../src/protocol/run-result.ts';
import type { Script } from '../../support/fake-bridge.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { fixture } from '../agent-fixture.ts';

const leaseId = '7b0f8f0e-7a39-4c0e-9d4e-1a2b3c4d5e6f';
const lease = { leaseId, fence: 3 };

function start(index: number): StepEvent {
  return { type: 'step_start', nodeId: `node ${index}` };
}

function long(index: number): StepEvent {
  const logs = 'x'.repeat(limits.textLength);
  return { type: 'step_complete', nodeId: `node ${index}`, status: 'passed', durationMs: 1, logs };
}

async function outboxFixture<C extends ManualClock | undefined>(clock?: C) {
  const base = await fixture(clock === undefined ? {} : { clock });
  const stop = new AbortController();
  const lost: LeaseLostError[] = [];
  const deps = {
    ...base,
    spool: null,
    signal: stop.signal,
    onLost: (error: LeaseLostError) => void lost.push(error),
  };
  const outbox = new Outbox(lease, deps);
  const batches = () =>
    base.bridge
      .of('postEvents')
      .map(({ body }) => (body as RequestOf<'postEvents'>).events.map(({ seq }) => seq));
  const stored = () => base.bridge.events.get(leaseId)?.map(({ event }) => event) ?? [];
  return { ...base, stop, lost, deps, outbox, batches, stored };
}

describe('the outbox', () => {
  it('sends at once when somebody waits for it, and says when the bridge has it', async () => {
    const clock = new ManualClock();
    const { outbox, stored, stop } = await outboxFixture(clock);
    outbox.push(start(1));
    await outbox.stored();
    expect(stored()).toEqual([start(1)]);
    outbox.push(start(2));
    stop.abort(new Error('end'));
    await expect(outbox.stored()).rejects.toThrow();
    outbox.stop();
    await expect(outbox.stored()).rejects.toThrow('nothing more is sent');
  });

  it('sends what gathered within 250 ms in one batch', async () => {
    const clock = new ManualClock();
    const { bridge, outbox, batches } = await outboxFixture(clock);
    outbox.push(start(1));
    outbox.push(start(2));
    await clock.advance(249);
    expect(bridge.received).toEqual([]);
    outbox.push(start(3));
    await clock.advance(1);
    await bridge.until(() => bridge.of('postEvents').length === 1);
    expect(batches()).toEqual([[1, 2, 3]]);
    await outbox.finish();
  });

  it('does not wait when 32 KiB have gathered, and sends no batch much larger', async () => {
    const { outbox, batches, bridge } = await outboxFixture(new ManualClock());
    for (let index = 0; index < 10; index += 1) outbox.push(long(index));
    await bridge.until(() => bridge.events.get(leaseId)?.length === 8);
    expect(batches()).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]);
    await outbox.finish();
    expect(batches()).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [9, 10],
    ]);
  });

  it('sends at once when the run has ended, without its clock moving', async () => {
    const clock = new ManualClock();
    const { outbox, stored } = await outboxFixture(clock);
    outbox.push(start(1));
    await outbox.finish();
    expect(stored()).toEqual([start(1)]);
    expect(clock.sleepers).toBe(0);
  });

  it('leaves the last batch to the result, and sends everything before it', async () => {
    const { outbox, batches } = await outboxFixture(new ManualClock());
    for (let index = 0; index < 6; index += 1) outbox.push(long(index));
    const riding = await outbox.finishForResult();
    expect(batches()).toEqual([[1, 2, 3, 4]]);
    expect(riding.map(({ seq }) => seq)).toEqual([5, 6]);
  });

  it('leaves nothing to the result once the lease is lost', async () => {
    const { bridge, outbox, lost } = await outboxFixture(new ManualClock());
    bridge.lost.add(leaseId);
    for (let index = 0; index < 6; index += 1) outbox.push(long(index));
    expect(await outbox.finishForResult()).toEqual([]);
    expect(lost).toHaveLength(1);
  });

  it('has one batch in flight', async () => {
    const { bridge, outbox } = await outboxFixture();
    bridge.script('postEvents', 'hang');
    outbox.push(start(1));
    await bridge.until(() => bridge.of('postEvents').length === 1);
    outbox.push(long(2));
    for (let index = 3; index < 9; index += 1) outbox.push(long(index));
    await new Promise((resolve) => setImmediate(resolve));
    expect(bridge.of('postEvents')).toHaveLength(1);
    outbox.stop();
  });

  it('resends after a lost answer, and the events are stored once', async () => {
    const { bridge, outbox, stored, batches } = await outboxFixture();
    bridge.script('postEvents', 'drop-after', 'drop');
    outbox.push(start(1));
    outbox.push(start(2));
    await outbox.finish();
    expect(stored()).toEqual([start(1), start(2)]);
    expect(batches()).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
  });

  it('goes on after what the bridge says it has, and does not hammer a bridge that stores nothing', async () => {
    const clock = new ManualClock();
    const { bridge, outbox, stored, random } = await outboxFixture(clock);
    bridge.script('postEvents', { json: { ackedSeq: 0 } });
    outbox.push(start(1));
    const finished = outbox.finish();
    await finished;
    expect(random()).toBe(0);
    expect(stored()).toEqual([start(1)]);
    expect(bridge.of('postEvents')).toHaveLength(2);
  });

  it('lets the run end when the bridge has lost what it had acknowledged', async () => {
    const { bridge, outbox, log, lost } = await outboxFixture();
    for (const seq of [1, 2, 3]) outbox.push(start(seq));
    await outbox.stored();
    bridge.script('postEvents', { json: { ackedSeq: 1 } }, { json: { ackedSeq: 1 } });
    outbox.push(start(4));
    await outbox.finish();
    expect(await outbox.finishForResult()).toEqual([]);
    expect(lost).toEqual([]);
    expect(log.lines.join()).toContain('the bridge has lost events that it had acknowledged');
  });

  it('says that the lease is lost, and sends nothing more', async () => {
    const { bridge, outbox, lost } = await outboxFixture();
    bridge.lost.add(leaseId);
    outbox.push(start(1));
    await outbox.finish();
    outbox.push(start(2));
    await outbox.finish();
    expect(lost).toHaveLength(1);
    expect(bridge.of('postEvents')).toHaveLength(1);
  });

  it('lets the run end when the bridge refuses its events', async () => {
    const { bridge, outbox, lost, log } = await outboxFixture();
    bridge.script('postEvents', { problem: 'malformed_request' });
    outbox.push(start(1));
    await outbox.finish();
    expect(lost).toEqual([]);
    expect(log.lines.join()).toContain('step events were not taken');
  });

  it('ends when it is stopped in the middle of an outage', async () => {
    const clock = new ManualClock();
    const { bridge, outbox } = await outboxFixture(clock);
    bridge.script('postEvents', { problem: 'unavailable', headers: { 'retry-after': '3600' } });
    outbox.push(start(1));
    const finished = outbox.finish();
    await bridge.until(() => bridge.of('postEvents').length === 1);
    outbox.stop();
    await finished;
    expect(clock.sleepers).toBe(0);
  });

  it('delivers every event exactly once and in order, whatever is lost on the way', async () => {
    for (let seed = 1; seed <= 25; seed += 1) {
      const random = seededRandom(seed);
      const { bridge, outbox, deps } = await outboxFixture();
      const faults: Script[] = ['drop', 'drop-after', { problem: 'unavailable' }, { problem: 'replayed' }];
      bridge.script(
        'postEvents',
        ...Array.from({ length: 6 }, (): Script => faults[Math.floor(random() * faults.length)] ?? 'drop'),
      );
      const quick = new Outbox(lease, { ...deps, random: () => 0 });
      outbox.stop();
      const count = 1 + Math.floor(random() * 60);
      for (let index = 0; index < count; index += 1) {
        quick.push(random() < 0.2 ? long(index) : start(index));
        if (random() < 0.1) await new Promise((resolve) => setImmediate(resolve));
      }
      await quick.finish();
      const stored = bridge.events.get(leaseId) ?? [];
      expect(stored.map(({ seq }) => seq)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
      expect(stored.map(({ event }) => event.nodeId)).toEqual(
        Array.from({ length: count }, (_, index) => `node ${index}`),
      );
      await bridge.close();
    }
  });
});
