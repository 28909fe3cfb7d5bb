import { describe, expect, it } from 'vitest';
import { appendEvents } from '../../src/bridge/leases/append-events.ts';
import { cancelRun } from '../../src/bridge/leases/cancel-run.ts';
import { endAttempt } from '../../src/bridge/leases/end-attempt.ts';
import { withdrawOffers } from '../../src/bridge/leases/grant-leases.ts';
import { keepLease } from '../../src/bridge/leases/keep-lease.ts';
import { releaseLease } from '../../src/bridge/leases/release-lease.ts';
import { renewAfterSilence } from '../../src/bridge/leases/renew-after-silence.ts';
import { settleByResult } from '../../src/bridge/leases/settle-run.ts';
import { sweepLeases } from '../../src/bridge/leases/sweep-leases.ts';
import { defaultTiming } from '../../src/bridge/timing.ts';
import { until } from '../support/until.ts';
import { passed, type Store } from './open-store.ts';

const { offerMs, leaseTtlMs, releaseGapMs, runMs, attempts } = defaultTiming;
const started = (seq: number, nodeId: string) => ({
  seq,
  at: '2026-11-24T10:00:00.000Z',
  event: { type: 'step_start' as const, nodeId },
});

/** The life of a lease, transition by transition. */
export function leasesContract(store: () => Store): void {
  describe('a ready run', () => {
    it('is granted with fence 1, its flow and its variables, and is offered until it is acknowledged', async () => {
      const { submit, runner, run, state } = store();
      const runId = await submit({ name: 'Buy', variables: { USER: 'Ada' } });
      const { grant, runnerId } = await runner();
      const [lease] = await grant();
      expect(lease).toMatchObject({
        runId,
        fence: 1,
        attempt: 1,
        name: 'Buy',
        variables: { USER: 'Ada' },
        flow: { nodes: [{ id: 's' }, { id: 'open' }, { id: 'buy' }], edges: [{ source: 's' }, {}] },
        remainingMs: runMs,
      });
      expect(await state(runId)).toBe('offered');
      expect(await run(runId)).toMatchObject({ status: 'queued', attempt: 1, runnerId });
    });

    it('is granted to one of two who ask at once', async () => {
      const { submit, runner } = store();
      await submit();
      const [a, b] = [await runner(), await runner()];
      const granted = await Promise.all([a.grant(), b.grant(), a.grant(), b.grant()]);
      expect(granted.flat()).toHaveLength(1);
    });

    it('goes by priority first, then by age', async () => {
      const { submit, runner } = store();
      const old = await submit();
      const young = await submit();
      const urgent = await submit({ priority: 5 });
      const granted = await (await runner()).grant(3);
      expect(granted.map(({ runId }) => runId)).toEqual([urgent, old, young]);
    });

    it('goes only to a runner that has all of its labels', async () => {
      const { submit, runner } = store();
      const runId = await submit({ labels: ['eu', 'linux'] });
      expect(await (await runner()).grant()).toEqual([]);
      expect(await (await runner(['eu'])).grant()).toEqual([]);
      expect(await (await runner(['linux', 'gpu', 'eu'])).grant()).toMatchObject([{ runId }]);
    });

    it('is not seen by a runner of another workspace', async () => {
      const { submit, runner } = store();
      await submit({ workspace: 'somebody-else' });
      expect(await (await runner()).grant()).toEqual([]);
    });

    it('ends at once when it is cancelled', async () => {
      const { deps, submit, run, state, runner } = store();
      const runId = await submit();
      await cancelRun(deps, runId);
      expect(await state(runId)).toBe('cancelled');
      expect(await run(runId)).toMatchObject({ status: 'cancelled', stepsResult: [], error: null });
      expect(await (await runner()).grant()).toEqual([]);
    });
  });

  describe('an offered run', () => {
    it('becomes leased and running with the first heartbeat, and run_start is event 0 of the fence', async () => {
      const { submit, runner, run, state, hints } = store();
      const runId = await submit();
      const taker = await runner();
      const { fence, leaseId, runnerId } = await taker.take();
      expect(await state(runId)).toBe('leased');
      expect(await run(runId)).toMatchObject({ status: 'running', attempt: 1 });
      await until('it is hinted', () => hints.some((hint) => hint.about === 'run' && hint.runId === runId));
      expect(await taker.beat({ leaseId, fence, runnerId })).toEqual({
        remainingMs: runMs,
        cancelRequested: false,
      });
    });

    it('waits again when nobody acknowledges it, without using up an attempt', async () => {
      const { deps, clock, submit, runner, state } = store();
      const runId = await submit();
      const taker = await runner();
      for (let round = 1; round <= attempts + 2; round += 1) {
        expect(await taker.grant()).toMatchObject([{ runId, fence: round, attempt: 1 }]);
        await clock.advance(offerMs - 1);
        await sweepLeases(deps);
        expect(await state(runId)).toBe('offered');
        await clock.advance(1);
        await sweepLeases(deps);
        expect(await state(runId)).toBe('ready');
      }
    });

    it('may be acknowledged late as long as nobody else has it', async () => {
      const { clock, submit, runner } = store();
      await submit();
      const taker = await runner();
      const [lease] = await taker.grant();
      await clock.advance(offerMs + 1);
      expect(
        await taker.beat({ leaseId: lease?.leaseId ?? '', fence: 1, runnerId: taker.runnerId }),
      ).not.toBeNull();
    });

    it('waits again at once when the poller that got it has gone', async () => {
      const { deps, submit, runner, state, hints, workspace } = store();
      const runId = await submit();
      const taker = await runner();
      const leases = await taker.grant();
      hints.length = 0;
      await withdrawOffers(deps, taker.runnerId, leases);
      expect(await state(runId)).toBe('ready');
      expect(hints).toEqual([{ about: 'ready', workspace, labels: [] }]);
      expect(await taker.grant()).toMatchObject([{ runId, fence: 2, attempt: 1 }]);
    });

    it('ends at once when it is cancelled, and cannot be acknowledged any more', async () => {
      const { deps, submit, runner, run } = store();
      const runId = await submit();
      const taker = await runner();
      const [lease] = await taker.grant();
      await cancelRun(deps, runId);
      expect((await run(runId)).status).toBe('cancelled');
      expect(
        await taker.beat({ leaseId: lease?.leaseId ?? '', fence: 1, runnerId: taker.runnerId }),
      ).toBeNull();
    });

    it('takes no result and no events before it is acknowledged', async () => {
      const { deps, submit, runner } = store();
      await submit();
      const taker = await runner();
      const [lease] = await taker.grant();
      const held = { leaseId: lease?.leaseId ?? '', fence: 1, runnerId: taker.runnerId };
      expect(await settleByResult(deps, held, passed)).toBeNull();
      expect(await appendEvents(deps, held, [started(1, 'open')])).toBeNull();
    });
  });

  describe('a leased run', () => {
    it('is kept by heartbeats for as long as they come', async () => {
      const { deps, clock, submit, runner, state } = store();
      const runId = await submit();
      const taker = await runner();
      const held = await taker.take();
      for (let beat = 0; beat < 10; beat += 1) {
        await clock.advance(leaseTtlMs);
        await sweepLeases(deps);
        expect(await taker.beat(held, 'open')).not.toBeNull();
      }
      expect(await state(runId)).toBe('leased');
    });

    it('is kept for as long as was promised, even by a bridge with a shorter ttl that its runner may not have heard', async () => {
      const { deps, clock, submit, runner, state } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      const shorter = { ...deps, timing: { ...deps.timing, leaseTtlMs: 6_000, releaseGapMs: 1_500 } };
      await keepLease(shorter, held, null);
      await clock.advance(leaseTtlMs);
      await sweepLeases(shorter);
      expect(await state(runId)).toBe('leased');
      await clock.advance(releaseGapMs);
      await sweepLeases(shorter);
      expect(await state(runId)).toBe('ready');
    });

    it('waits again only a gap after its time is over, so that two runners never act at once', async () => {
      const { deps, clock, submit, runner, run, state } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      await clock.advance(leaseTtlMs + releaseGapMs - 1);
      await sweepLeases(deps);
      expect(await state(runId)).toBe('leased');
      await clock.advance(1);
      await sweepLeases(deps);
      expect(await state(runId)).toBe('ready');
      expect(await run(runId)).toMatchObject({ status: 'queued', lastEndReason: 'expired', runnerId: null });

      const next = await runner();
      expect(await next.take()).toMatchObject({ runId, fence: held.fence + 1 });
      expect(await run(runId)).toMatchObject({ attempt: 2, runnerId: next.runnerId });
    });

    it('refuses everything of the runner that lost it, and nothing it sends changes anything', async () => {
      const { deps, clock, submit, runner, run } = store();
      const runId = await submit();
      const old = await runner();
      const lost = await old.take();
      await clock.advance(leaseTtlMs + releaseGapMs);
      await sweepLeases(deps);
      const refused = async () => {
        expect(await old.beat(lost)).toBeNull();
        expect(await settleByResult(deps, lost, passed)).toBeNull();
        expect(await appendEvents(deps, lost, [started(1, 'open')])).toBeNull();
        expect(await releaseLease(deps, lost, { reason: 'shutdown' })).toBe(false);
      };
      await refused();
      const current = await (await runner()).take();
      await refused();
      expect(await run(runId)).toMatchObject({ status: 'running', runnerId: current.runnerId });
    });

    it('is not for another runner, whatever fence it names', async () => {
      const { deps, submit, runner } = store();
      await submit();
      const held = await (await runner()).take();
      const thief = await runner();
      const stolen = { ...held, runnerId: thief.runnerId };
      expect(await thief.beat(stolen)).toBeNull();
      expect(await settleByResult(deps, stolen, passed)).toBeNull();
      expect(await releaseLease(deps, stolen, { reason: 'shutdown' })).toBe(false);
      expect(await settleByResult(deps, { ...held, fence: held.fence + 1 }, passed)).toBeNull();
    });

    it('may be renewed late as long as nobody else was told to have it', async () => {
      const { deps, clock, submit, runner, state } = store();
      const runId = await submit();
      const taker = await runner();
      const held = await taker.take();
      await clock.advance(leaseTtlMs + releaseGapMs);
      expect(await taker.beat(held)).not.toBeNull();
      await sweepLeases(deps);
      expect(await state(runId)).toBe('leased');
    });

    it('is not ended as expired when a heartbeat came between the look and the end', async () => {
      const { deps, clock, submit, runner, state } = store();
      const runId = await submit();
      const taker = await runner();
      const held = await taker.take();
      await clock.advance(leaseTtlMs + releaseGapMs);
      await taker.beat(held);
      const end = { ...held, reason: 'expired', releasedBy: null, isFree: false };
      expect(await endAttempt(deps, end)).toBe(false);
      expect(await state(runId)).toBe('leased');
    });

    it('fails when its attempts are used up, and says so', async () => {
      const { deps, clock, submit, runner, run } = store();
      const runId = await submit();
      for (let attempt = 1; attempt <= attempts; attempt += 1) {
        expect((await run(runId)).status).toBe('queued');
        await (await runner()).take();
        await clock.advance(leaseTtlMs + releaseGapMs);
        await sweepLeases(deps);
      }
      expect(await run(runId)).toMatchObject({
        status: 'failed',
        attempt: attempts,
        error: { code: 'attempts_used_up' },
        stepsResult: [],
      });
    });

    it('fails at its deadline whatever its heartbeats say, and a late result changes nothing', async () => {
      const { deps, clock, submit, runner, run } = store();
      const runId = await submit();
      const taker = await runner();
      const held = await taker.take();
      for (let passedMs = 0; passedMs < runMs - leaseTtlMs; passedMs += leaseTtlMs) {
        await clock.advance(leaseTtlMs);
        await taker.beat(held);
      }
      expect(await taker.beat(held)).toMatchObject({ remainingMs: leaseTtlMs });
      await clock.advance(leaseTtlMs);
      expect(await taker.beat(held)).toBeNull();
      await sweepLeases(deps);
      const failed = await run(runId);
      expect(failed).toMatchObject({ status: 'failed', error: { code: 'run_timeout' }, durationMs: runMs });
      expect(await settleByResult(deps, held, passed)).toBe('failed');
      expect(await run(runId)).toEqual(failed);
    });

    it('fails by a result that comes after the deadline but before anybody noticed; its steps are kept', async () => {
      const { deps, clock, submit, runner, run } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      await clock.advance(runMs);
      expect(await settleByResult(deps, held, passed)).toBe('failed');
      expect(await run(runId)).toMatchObject({
        status: 'failed',
        error: { code: 'run_timeout' },
        stepsResult: passed.stepsResult,
      });
    });

    it('has a new deadline with each attempt', async () => {
      const { deps, clock, submit, runner } = store();
      await submit();
      await (await runner()).take();
      await clock.advance(leaseTtlMs + releaseGapMs);
      await sweepLeases(deps);
      const next = await runner();
      expect(await next.beat(await next.take())).toMatchObject({ remainingMs: runMs });
    });

    it('tells its runner to cancel, and ends as cancelled when the runner says so', async () => {
      const { deps, submit, runner, run, hints } = store();
      const runId = await submit();
      const taker = await runner();
      const held = await taker.take();
      await cancelRun(deps, runId);
      expect((await run(runId)).status).toBe('running');
      expect(hints).toContainEqual({ about: 'runner', runnerId: taker.runnerId, leaseId: held.leaseId });
      expect(await taker.beat(held)).toMatchObject({ cancelRequested: true });
      expect(await settleByResult(deps, held, { ...passed, status: 'cancelled' })).toBe('cancelled');
      expect(await run(runId)).toMatchObject({ status: 'cancelled', stepsResult: passed.stepsResult });
    });

    it('may still pass when cancel came too late', async () => {
      const { deps, submit, runner } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      await cancelRun(deps, runId);
      expect(await settleByResult(deps, held, passed)).toBe('passed');
    });

    it('fails when its runner says cancelled though nobody asked', async () => {
      const { deps, submit, runner, run } = store();
      const runId = await submit();
      const held = await (await runner()).take();
      expect(await settleByResult(deps, held, { ...passed, status: 'cancelled' })).toBe('failed');
      expect((await run(runId)).error).toMatchObject({ code: 'cancelled_by_runner' });
    });

    it('ends as cancelled, and is not delivered again, when its runner is lost after cancel was asked', async () => {
      const { deps, clock, submit, runner, run } = store();
      const runId = await submit();
      await (await runner()).take();
      await cancelRun(deps, runId);
      await clock.advance(leaseTtlMs + releaseGapMs);
      await sweepLeases(deps);
      expect((await run(runId)).status).toBe('cancelled');
    });

    it('has a full ttl again when no bridge could be reached for a while', async () => {
      const { deps, clock, submit, runner, state } = store();
      const runId = await submit();
      await (await runner()).take();
      await renewAfterSilence(deps);
      await clock.advance(leaseTtlMs + releaseGapMs);
      await renewAfterSilence(deps);
      await sweepLeases(deps);
      expect(await state(runId)).toBe('leased');
    });

    it('is given away when a bridge that was there took long over its own sweep', async () => {
      const { deps, clock, submit, runner, state } = store();
      const runId = await submit();
      await (await runner()).take();
      await renewAfterSilence(deps);
      await clock.advance(leaseTtlMs + releaseGapMs);
      await renewAfterSilence(deps, { sinceMs: leaseTtlMs + releaseGapMs, wasHere: true });
      await sweepLeases(deps);
      expect(await state(runId)).toBe('ready');
    });

    describe('while the clock of the database is set', () => {
      const hoursMs = 2 * 3_600_000;
      const sweep = async (sinceMs: number) => {
        const { deps } = store();
        await renewAfterSilence(deps, { sinceMs, wasHere: true });
        await sweepLeases(deps);
      };
      const jump = (ms: number) => store().clock.setWall(store().clock.nowMs() + ms);

      it('two hours ahead goes on, with the time it had left', async () => {
        const { deps, clock, submit, runner, state, run } = store();
        const runId = await submit();
        const one = await runner();
        const held = await one.take();
        await renewAfterSilence(deps);
        await clock.advance(1_000);
        jump(hoursMs);
        await sweep(1_000);
        expect(await state(runId)).toBe('leased');
        const { remainingMs = 0 } = (await one.beat(held)) ?? {};
        expect(remainingMs).toBeGreaterThan(runMs - 2_000);
        expect(remainingMs).toBeLessThan(runMs);
        for (let passedMs = 0; passedMs <= leaseTtlMs + releaseGapMs; passedMs += 1_000) {
          await clock.advance(1_000);
          await sweep(1_000);
        }
        expect(await run(runId)).toMatchObject({ status: 'queued', lastEndReason: 'expired' });
      });

      it('two hours ahead is kept by a heartbeat that comes before the next sweep', async () => {
        const { deps, clock, submit, runner, state } = store();
        const runId = await submit();
        const one = await runner();
        const held = await one.take();
        await renewAfterSilence(deps);
        await clock.advance(500);
        jump(hoursMs);
        expect(await one.beat(held)).toMatchObject({ cancelRequested: false, remainingMs: leaseTtlMs });
        await clock.advance(500);
        await sweep(1_000);
        expect(await state(runId)).toBe('leased');
        expect((await one.beat(held))?.remainingMs).toBeGreaterThan(runMs - 2_000);
      });

      it('two hours ahead does not make a result late that comes before the next sweep', async () => {
        const { deps, clock, submit, runner, run } = store();
        const runId = await submit();
        const held = await (await runner()).take();
        await renewAfterSilence(deps);
        await clock.advance(500);
        jump(hoursMs);
        expect(await settleByResult(deps, held, passed)).toBe('passed');
        expect(await run(runId)).toMatchObject({ status: 'passed' });
      });

      it('two hours back is no longer kept than it would have been', async () => {
        const { deps, clock, submit, runner, state } = store();
        const runId = await submit();
        await (await runner()).take();
        await renewAfterSilence(deps);
        jump(-hoursMs);
        for (let passedMs = 0; passedMs <= leaseTtlMs + releaseGapMs; passedMs += 1_000) {
          await clock.advance(1_000);
          await sweep(1_000);
        }
        expect(await state(runId)).toBe('ready');
      });

      it('two hours back has no deadline hours away, and waits no hours for being offered again', async () => {
        const { deps, clock, submit, runner } = store();
        const [first, second] = [await submit(), await submit()];
        const one = await runner();
        const held = await one.take();
        const back = await one.take();
        expect([held.runId, back.runId].sort()).toEqual([first, second].sort());
        await releaseLease(deps, back, { reason: 'cannot_start' });
        await renewAfterSilence(deps);
        jump(-hoursMs);
        await clock.advance(1_000);
        await sweep(1_000);
        expect((await one.beat(held))?.remainingMs).toBeLessThanOrEqual(runMs);
        await clock.advance(1_000);
        expect(await one.grant()).toMatchObject([{ runId: back.runId }]);
      });

      it('two hours back is taken back too when no bridge was there, and the first one to come sees it', async () => {
        const { deps, clock, submit, runner } = store();
        await submit();
        const one = await runner();
        const held = await one.take();
        await renewAfterSilence(deps);
        jump(-hoursMs);
        await clock.advance(1_000);
        await renewAfterSilence(deps);
        expect((await one.beat(held))?.remainingMs).toBeLessThanOrEqual(runMs);
      });
    });

    it('is given away when its runner is silent while bridges are there', async () => {
      const { deps, clock, submit, runner, state } = store();
      const runId = await submit();
      await (await runner()).take();
      for (let passedMs = 0; passedMs < leaseTtlMs + releaseGapMs; passedMs += 5_000) {
        await renewAfterSilence(deps);
        await clock.advance(5_000);
      }
      await sweepLeases(deps);
      expect(await state(runId)).toBe('ready');
    });
  });
}
