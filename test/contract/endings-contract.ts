import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { lateUpdateTable } from '../../src/bridge/distributed/late-update-table.ts';
import { appendEvents } from '../../src/bridge/leases/append-events.ts';
import { cancelRun } from '../../src/bridge/leases/cancel-run.ts';
import { endForsaken } from '../../src/bridge/leases/end-forsaken.ts';
import { releaseLease } from '../../src/bridge/leases/release-lease.ts';
import { settleByResult } from '../../src/bridge/leases/settle-run.ts';
import { sweepLeases } from '../../src/bridge/leases/sweep-leases.ts';
import { defaultTiming } from '../../src/bridge/timing.ts';
import type { RunUpdate } from '../../src/protocol/run-result.ts';
import { passed, type Store } from './open-store.ts';

const { leaseTtlMs, releaseGapMs, runMs, attempts, freeHandbacks } = defaultTiming;
const started = (seq: number, nodeId: string) => ({
  seq,
  at: '2026-11-24T10:00:00.000Z',
  event: { type: 'step_start' as const, nodeId },
});

/** How a run ends, or is handed back: results, releases, redelivery. */
export function endingsContract(store: () => Store): void {
  describe('a result', () => {
    it('is written once, and repeating it changes nothing and answers the same', async () => {
      const { deps, submit, runner, run, state } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      expect(await settleByResult(deps, held, passed)).toBe('passed');
      const first = await run(runId);
      expect(first).toMatchObject({ status: 'passed', durationMs: 1_200, stepsResult: passed.stepsResult });
      expect(await settleByResult(deps, held, passed)).toBe('passed');
      expect(await settleByResult(deps, held, { ...passed, status: 'failed', durationMs: 1 })).toBe('passed');
      expect(await run(runId)).toEqual(first);
      expect(await state(runId)).toBe('done');
    });

    it('is not undone by anything that comes later', async () => {
      const { deps, clock, submit, runner, run } = store();
      const runId = await submit();
      const taker = await runner();
      const held = await taker.take();
      await settleByResult(deps, held, passed);
      const first = await run(runId);
      expect(await taker.beat(held)).toBeNull();
      expect(await releaseLease(deps, held, { reason: 'shutdown' })).toBe(false);
      await cancelRun(deps, runId);
      await clock.advance(runMs + leaseTtlMs);
      await sweepLeases(deps);
      expect(await run(runId)).toEqual(first);
    });

    it('with an error of the run keeps it', async () => {
      const { deps, submit, runner, run } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      const error = { code: 'flow_invalid', message: 'the variable USER is not set', problems: ['x'] };
      await settleByResult(deps, held, { status: 'failed', durationMs: 0, stepsResult: [], error });
      expect(await run(runId)).toMatchObject({ status: 'failed', error });
    });

    it('that comes twice at once is written once', async () => {
      const { deps, submit, runner, run } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      const answers = await Promise.all([
        settleByResult(deps, held, passed),
        settleByResult(deps, held, { ...passed, status: 'failed' }),
      ]);
      expect(new Set(answers).size).toBe(1);
      expect((await run(runId)).status).toBe(answers[0]);
    });
  });

  describe('a run whose row the backend ends', () => {
    const setRow = (runId: string, status: string) =>
      store().deps.db.execute(sql`update public.runs set status = ${status} where id = ${runId}::uuid`);

    it('is ended as the row says, which stays as it is, and its runner is told to look', async () => {
      const { deps, submit, runner, run, state, hints } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      await setRow(runId, 'cancelled');
      await endForsaken(deps);
      expect(await state(runId)).toBe('cancelled');
      expect(await run(runId)).toMatchObject({ status: 'cancelled', error: { code: 'ended_elsewhere' } });
      expect(hints).toContainEqual({ about: 'runner', runnerId: held.runnerId, leaseId: held.leaseId });
      expect(await settleByResult(deps, held, passed)).toBe('cancelled');
      expect((await run(runId)).status).toBe('cancelled');
    });

    it('keeps that end when the result was faster than the bridge', async () => {
      const { deps, submit, runner, run } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      await setRow(runId, 'failed');
      expect(await settleByResult(deps, held, passed)).toBe('failed');
      expect(await run(runId)).toMatchObject({ status: 'failed', stepsResult: null });
    });

    it('goes on while the row says that it waits or executes', async () => {
      const { deps, submit, runner, state } = store();
      const [executing, waiting] = [await submit(), await submit()];
      const held = await (await runner()).take();
      await endForsaken(deps);
      expect([await state(executing), await state(waiting)]).toEqual(['leased', 'ready']);
      await settleByResult(deps, held, passed);
      await cancelRun(deps, waiting);
    });
  });

  describe('an observer of runs', () => {
    it('hears once of each run that ends, with what its rows say and without its variables', async () => {
      const { deps, submit, runner, ended, workspace } = store();
      const runId = await submit({ name: 'buy', priority: 5, variables: { PASSWORD: 'hunter2' } });
      const taker = await runner();
      const held = await taker.take();
      await settleByResult(deps, held, passed);
      await settleByResult(deps, held, passed);
      expect(ended).toMatchObject([
        {
          ...{ runId, leaseId: held.leaseId, name: 'buy', workspace, labels: [], priority: 5 },
          ...{ runnerId: taker.runnerId, fence: 1, attempts: 1, handbacks: 0, status: 'passed' },
          ...{ queue: null, jobId: null, traceParent: null, lastEndReason: null, error: null },
          ...{ durationMs: 1_200, stepsResult: passed.stepsResult },
          flowId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          queuedAtMs: expect.any(Number),
          startedAtMs: expect.any(Number),
          endedAtMs: expect.any(Number),
        },
      ]);
      expect(JSON.stringify(ended)).not.toContain('hunter2');
    });

    it('hears of a run that no runner had, and of one that the bridge ended', async () => {
      const { deps, clock, submit, runner, ended } = store();
      const cancelled = await submit();
      await cancelRun(deps, cancelled);
      const late = await submit();
      await (await runner()).take();
      await clock.advance(runMs);
      await sweepLeases(deps);
      expect(ended).toMatchObject([
        { runId: cancelled, status: 'cancelled', runnerId: null, startedAtMs: null, stepsResult: [] },
        { runId: late, status: 'failed', error: { code: 'run_timeout' } },
      ]);
    });
  });

  describe('an observer of runs, when the last attempt was lost', () => {
    it('hears why, and how many attempts there were', async () => {
      const { deps, clock, submit, runner, run, ended } = store();
      const runId = await submit({ onRedelivery: 'fail' });
      await (await runner()).take();
      await clock.advance(leaseTtlMs + releaseGapMs);
      await sweepLeases(deps);
      expect(ended).toMatchObject([
        {
          runId,
          status: 'failed',
          attempts: 1,
          lastEndReason: 'expired',
          error: { code: 'not_redelivered' },
        },
      ]);
      expect(await run(runId)).toMatchObject({ attempt: 1, lastEndReason: 'expired' });
    });
  });

  describe('a sweep', () => {
    it('ends what it can when what one run has done cannot be read, and tells of that one', async () => {
      const { deps, clock, submit, runner, state } = store();
      const taker = await runner();
      const unreadable = await submit({ onRedelivery: 'auto' });
      await appendEvents(deps, await taker.take(), [started(1, 'open')]);
      const others = [];
      for (let each = 0; each < 3; each += 1) {
        others.push(await submit());
        await taker.take();
      }
      const read = async (runId: string, position: { fence: number; seq: number }) => {
        if (runId === unreadable) throw new Error('the log cannot be reached');
        return deps.events.read(runId, position);
      };
      await clock.advance(leaseTtlMs + releaseGapMs);
      const sweep = sweepLeases({ ...deps, events: { ...deps.events, read } });
      await expect(sweep).rejects.toThrow('the log cannot be reached');
      expect(await Promise.all(others.map(state))).toEqual(['ready', 'ready', 'ready']);
      expect(await state(unreadable)).toBe('leased');
      await sweepLeases(deps);
      expect(await state(unreadable)).toBe('ready');
    });
  });

  describe('a release', () => {
    it.each(['draining', 'shutdown', 'cannot_start'] as const)(
      'for %s before the first step uses up no attempt',
      async (reason) => {
        const { deps, clock, submit, runner, run, state } = store();
        const runId = await submit();
        const held = await (await runner()).take();
        expect(await releaseLease(deps, held, { reason, detail: 'why' })).toBe(true);
        expect(await state(runId)).toBe('ready');
        expect(await run(runId)).toMatchObject({
          attempt: 0,
          lastEndReason: `${reason}: why`,
          runnerId: null,
        });
        await clock.advance(60_000);
        expect(await (await runner()).grant()).toMatchObject([{ runId, fence: 2, attempt: 1 }]);
      },
    );

    it('after the first step uses up an attempt', async () => {
      const { deps, submit, runner, run } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      await appendEvents(deps, held, [started(1, 'open')]);
      await releaseLease(deps, held, { reason: 'shutdown' });
      expect((await run(runId)).attempt).toBe(1);
    });

    it('of an interrupted run uses up an attempt', async () => {
      const { deps, submit, runner, run } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      await releaseLease(deps, held, { reason: 'interrupted' });
      expect((await run(runId)).attempt).toBe(1);
    });

    it.each(['interrupted', 'shutdown'] as const)(
      'for %s before the offer was taken uses up no attempt, whatever its redelivery: nothing had begun',
      async (reason) => {
        const { deps, submit, runner, run, state } = store();
        const runId = await submit({ onRedelivery: 'fail' });
        const taker = await runner();
        const [lease] = await taker.grant();
        if (lease === undefined) throw new Error('there was no run to take');
        const held = { leaseId: lease.leaseId, fence: lease.fence, runnerId: taker.runnerId };
        expect(await releaseLease(deps, held, { reason, detail: 'killed' })).toBe(true);
        expect(await state(runId)).toBe('ready');
        expect(await run(runId)).toMatchObject({ attempt: 0, lastEndReason: `${reason}: killed` });
        expect(await releaseLease(deps, held, { reason, detail: 'killed' })).toBe(true);
      },
    );

    it('of offers that were never taken does not go round for ever', async () => {
      const { deps, submit, runner, run } = store();
      const runId = await submit();
      const taker = await runner();
      let rounds = 0;
      while ((await run(runId)).status !== 'failed' && rounds < 100) {
        const [lease] = await taker.grant();
        if (lease === undefined) throw new Error('there was no run to take');
        const held = { leaseId: lease.leaseId, fence: lease.fence, runnerId: taker.runnerId };
        await releaseLease(deps, held, { reason: 'interrupted' });
        rounds += 1;
      }
      expect(rounds).toBe(freeHandbacks + attempts);
    });

    it('that is repeated gets the same answer and changes nothing, even after the next grant', async () => {
      const { deps, submit, runner, run } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      expect(await releaseLease(deps, held, { reason: 'draining' })).toBe(true);
      expect(await releaseLease(deps, held, { reason: 'draining' })).toBe(true);
      const next = await (await runner()).take();
      expect(await releaseLease(deps, held, { reason: 'draining' })).toBe(true);
      expect(await run(runId)).toMatchObject({ status: 'running', runnerId: next.runnerId });
    });

    it('because a browser cannot start makes the run wait a little longer each time', async () => {
      const { deps, clock, submit, runner } = store();
      await submit();
      const taker = await runner();
      for (const waitMs of [1_000, 2_000, 4_000]) {
        await releaseLease(deps, await taker.take(), { reason: 'cannot_start' });
        await clock.advance(waitMs - 1);
        expect(await taker.grant()).toEqual([]);
        await clock.advance(1);
      }
    });

    it('can be repeated only so often before it uses up attempts, so that no run goes round for ever', async () => {
      const { deps, submit, runner, run } = store();
      const runId = await submit();
      const taker = await runner();
      let rounds = 0;
      while ((await run(runId)).status !== 'failed' && rounds < 100) {
        await releaseLease(deps, await taker.take(), { reason: 'draining' });
        rounds += 1;
      }
      expect(rounds).toBe(freeHandbacks + attempts);
    });

    it('of a run that was asked to cancel ends it as cancelled', async () => {
      const { deps, submit, runner, run } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      await cancelRun(deps, runId);
      expect(await releaseLease(deps, held, { reason: 'shutdown' })).toBe(true);
      expect((await run(runId)).status).toBe('cancelled');
      expect(await releaseLease(deps, held, { reason: 'shutdown' })).toBe(true);
    });
  });

  describe('redelivery', () => {
    const lose = async (startedSteps: string[], onRedelivery: 'rerun' | 'fail' | 'auto') => {
      const { deps, clock, submit, runner, run } = store();
      const runId = await submit({ onRedelivery });
      const held = await (await runner()).take();
      if (startedSteps.length > 0) {
        await appendEvents(
          deps,
          held,
          startedSteps.map((nodeId, index) => started(index + 1, nodeId)),
        );
      }
      await clock.advance(leaseTtlMs + releaseGapMs);
      await sweepLeases(deps);
      return run(runId);
    };

    it('auto knows of a step with side effects behind any number of updates that the log could not take', async () => {
      const { deps, clock, submit, runner, run } = store();
      const runId = await submit({ onRedelivery: 'auto' });
      const held = await (await runner()).take();
      const at = '2026-11-24T10:00:00.000Z';
      const late = Array.from({ length: 1_200 }, (_, index): RunUpdate => {
        const nodeId = index === 1_100 ? 'buy' : 'open';
        return { type: 'step_start', nodeId, runId, fence: held.fence, seq: index + 1, at };
      });
      const table = lateUpdateTable(deps.db);
      await table.keep(runId, late);
      await appendEvents(deps, held, [started(1, 'open')]);
      await clock.advance(leaseTtlMs + releaseGapMs);
      const none = { ...deps.events, add: async () => {}, read: async () => [] };
      await sweepLeases({ ...deps, events: { ...none, late: table } });
      expect(await run(runId)).toMatchObject({ status: 'failed', error: { code: 'not_redelivered' } });
    });

    it.each([
      ['rerun', ['open', 'buy'], 'queued', null],
      ['fail', [], 'failed', 'not_redelivered'],
      ['auto', [], 'queued', null],
      ['auto', ['open'], 'queued', null],
      ['auto', ['open', 'buy'], 'failed', 'not_redelivered'],
      ['auto', ['a step nobody knows'], 'failed', 'not_redelivered'],
    ] as const)('%s after the steps %j leaves the run %s', async (mode, steps, status, code) => {
      const run = await lose([...steps], mode);
      expect(run).toMatchObject({ status, lastEndReason: 'expired' });
      expect(run.error?.code ?? null).toBe(code);
    });
  });
}
