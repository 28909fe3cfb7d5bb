import { describe, expect, it } from 'vitest';
import { type EventPosition, fromTheFirst, positionText } from '../../src/bridge/events/event-log.ts';
import { followRun, hasNothingAfter } from '../../src/bridge/events/follow-run.ts';
import { appendEvents } from '../../src/bridge/leases/append-events.ts';
import { cancelRun } from '../../src/bridge/leases/cancel-run.ts';
import { settleByResult } from '../../src/bridge/leases/settle-run.ts';
import { sweepLeases } from '../../src/bridge/leases/sweep-leases.ts';
import { defaultTiming } from '../../src/bridge/timing.ts';
import type { NumberedEvent, RunUpdate } from '../../src/protocol/run-result.ts';
import { passed, type Store } from './open-store.ts';

const at = '2026-11-24T10:00:00.123Z';
const events = (from: number, to: number): NumberedEvent[] =>
  Array.from({ length: to - from + 1 }, (_, index) => ({
    seq: from + index,
    at,
    event: { type: 'step_start', nodeId: `n${from + index}` },
  }));

/** Events of a run: stored once, in order, and told to everybody who follows. */
export function eventsContract(store: () => Store): void {
  const follow = async (runId: string, from: EventPosition = fromTheFirst): Promise<RunUpdate[]> => {
    const updates: RunUpdate[] = [];
    for await (const update of followRun(store().deps, runId, from, AbortSignal.timeout(20_000))) {
      updates.push(update);
    }
    return updates;
  };

  describe('events', () => {
    it('are stored once: replayed and overlapping batches add only what is new', async () => {
      const { deps, submit, runner } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      expect(await appendEvents(deps, held, events(1, 3))).toBe(3);
      expect(await appendEvents(deps, held, events(1, 3))).toBe(3);
      expect(await appendEvents(deps, held, events(2, 5))).toBe(5);
      expect(await appendEvents(deps, held, events(1, 2))).toBe(5);
      await settleByResult(deps, held, passed);
      expect((await follow(runId)).map(positionText)).toEqual([
        '1-0',
        '1-1',
        '1-2',
        '1-3',
        '1-4',
        '1-5',
        '1-6',
      ]);
    });

    it('after a gap are not taken, and the answer says where to go on', async () => {
      const { deps, submit, runner } = store();
      await submit();
      const held = await (await runner()).take();
      expect(await appendEvents(deps, held, events(2, 4))).toBe(0);
      expect(await appendEvents(deps, held, events(1, 1))).toBe(1);
      expect(await appendEvents(deps, held, events(3, 3))).toBe(1);
    });

    it('repeated after the end are acknowledged again, new ones are refused', async () => {
      const { deps, submit, runner } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      await appendEvents(deps, held, events(1, 2));
      await settleByResult(deps, held, passed);
      expect(await appendEvents(deps, held, events(1, 2))).toBe(2);
      expect(await appendEvents(deps, held, events(3, 3))).toBeNull();
      expect((await follow(runId)).at(-1)).toMatchObject({ type: 'run_complete', seq: 3 });
    });

    it('sent twice at once are stored once', async () => {
      const { deps, submit, runner } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      const answers = await Promise.all([1, 2, 3].map(() => appendEvents(deps, held, events(1, 20))));
      expect(answers).toEqual([20, 20, 20]);
      await settleByResult(deps, held, passed);
      expect(await follow(runId)).toHaveLength(22);
    });

    it('carry what the runner said, under the run, the fence and the number', async () => {
      const { deps, submit, runner } = store();
      const runId = await submit();
      const taker = await runner();
      const held = await taker.take();
      const event = {
        type: 'step_complete',
        nodeId: 'open',
        status: 'failed',
        durationMs: 12,
        error: 'Timeout "quoted" – ünï',
      } as const;
      await appendEvents(deps, held, [{ seq: 1, at, event }]);
      await settleByResult(deps, held, { ...passed, status: 'failed' });
      expect(await follow(runId)).toEqual([
        {
          type: 'run_start',
          status: 'running',
          attempt: 1,
          runnerId: taker.runnerId,
          runnerName: 'test-host',
          runId,
          fence: 1,
          seq: 0,
          at: expect.any(String),
        },
        { ...event, runId, fence: 1, seq: 1, at },
        { type: 'run_complete', status: 'failed', runId, fence: 1, seq: 2, at: expect.any(String) },
      ]);
    });

    it('that the bridge took just before it ended the run come before the end on the stream', async () => {
      const { deps, clock, submit, runner } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      // The row knows of the events, the log not yet: in between, the deadline ends the run.
      const add = deps.events.add.bind(deps.events);
      const slow = {
        ...deps,
        events: {
          ...deps.events,
          async add(id: string, updates: readonly RunUpdate[]) {
            await clock.advance(defaultTiming.runMs);
            await sweepLeases(deps);
            await add(id, updates);
          },
        },
      };
      expect(await appendEvents(slow, held, events(1, 3))).toBe(3);
      await clock.advance(3_000);
      await deps.teller.sweep();
      expect((await follow(runId)).map(({ type, seq }) => `${seq} ${type}`)).toEqual([
        '0 run_start',
        '1 step_start',
        '2 step_start',
        '3 step_start',
        '4 run_complete',
      ]);
    });

    it('with a picture this bridge did not issue lose it', async () => {
      const { deps, submit, runner } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      const event = {
        type: 'step_complete',
        nodeId: 'open',
        status: 'failed',
        durationMs: 1,
        screenshotUrl: 'https://evil.test/x.png',
      } as const;
      await appendEvents(deps, held, [{ seq: 1, at, event }]);
      await settleByResult(deps, held, passed);
      expect((await follow(runId))[1]).not.toHaveProperty('screenshotUrl');
    });
  });

  describe('following a run', () => {
    it('tells a run of two attempts in order', async () => {
      const { deps, clock, submit, runner } = store();
      const runId = await submit();
      await appendEvents(deps, await (await runner()).take(), events(1, 2));
      await clock.advance(defaultTiming.leaseTtlMs + defaultTiming.releaseGapMs);
      await sweepLeases(deps);
      const second = await (await runner()).take();
      await appendEvents(deps, second, events(1, 1));
      await settleByResult(deps, second, passed);
      const updates = await follow(runId);
      expect(updates.map(positionText)).toEqual(['1-0', '1-1', '1-2', '2-0', '2-1', '2-2']);
      expect(updates[3]).toMatchObject({ type: 'run_start', attempt: 2 });
    });

    it('tells run_complete alone for a run that was cancelled before anybody had it', async () => {
      const { deps, submit } = store();
      const runId = await submit();
      await cancelRun(deps, runId);
      expect(await follow(runId)).toMatchObject([{ type: 'run_complete', status: 'cancelled' }]);
    });

    it('loses nothing and repeats nothing for many who join in the middle', async () => {
      const { deps, submit, runner } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      const followers: Promise<RunUpdate[]>[] = [];
      for (let seq = 1; seq <= 60; seq += 1) {
        const stored = appendEvents(deps, held, events(seq, seq));
        followers.push(follow(runId));
        await stored;
      }
      await settleByResult(deps, held, passed);
      const expected = Array.from({ length: 62 }, (_, seq) => `1-${seq}`);
      for (const updates of await Promise.all(followers)) expect(updates.map(positionText)).toEqual(expected);
    });

    it('goes on after any position without a gap', async () => {
      const { deps, submit, runner } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      await appendEvents(deps, held, events(1, 4));
      await settleByResult(deps, held, passed);
      for (let seq = 0; seq < 5; seq += 1) {
        const rest = await follow(runId, { fence: 1, seq });
        expect(rest.map((update) => update.seq)).toEqual(
          Array.from({ length: 5 - seq }, (_, i) => seq + 1 + i),
        );
      }
      expect(await hasNothingAfter(deps, runId, { fence: 1, seq: 5 })).toBe(true);
      expect(await hasNothingAfter(deps, runId, { fence: 1, seq: 4 })).toBe(false);
      expect(await follow(runId, { fence: 1, seq: 5 })).toEqual([]);
    });

    it('reads more than one page', async () => {
      const { deps, submit, runner } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      for (let from = 1; from <= 1_101; from += 100) await appendEvents(deps, held, events(from, from + 99));
      await settleByResult(deps, held, passed);
      expect((await follow(runId)).map(({ seq }) => seq)).toEqual(
        Array.from({ length: 1_202 }, (_, seq) => seq),
      );
    });

    it('ends when whoever follows has gone', async () => {
      const { deps, submit, runner } = store();
      const runId = await submit();
      await (await runner()).take();
      const gone = new AbortController();
      const updates: RunUpdate[] = [];
      for await (const update of followRun(deps, runId, fromTheFirst, gone.signal)) {
        updates.push(update);
        setImmediate(() => gone.abort());
      }
      expect(updates).toHaveLength(1);
    });
  });
}
