import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { releaseLease } from '../../src/bridge/leases/release-lease.ts';
import { settleByResult } from '../../src/bridge/leases/settle-run.ts';
import { drainRunner, listRunners, noteSeen, revokeRunner } from '../../src/bridge/runners/runners.ts';
import { explainRun } from '../../src/bridge/runs/explain-run.ts';
import { defaultTiming } from '../../src/bridge/timing.ts';
import { protocolVersion } from '../../src/protocol/limits.ts';
import type { WhyResponse } from '../../src/protocol/why-messages.ts';
import { testCapabilities } from '../support/signed-client.ts';
import { passed, type Store } from './open-store.ts';

const { leaseTtlMs, runMs, handbackDelayMs } = defaultTiming;

/** Why a run waits. */
export function whyContract(store: () => Store): void {
  const why = async (runId: string): Promise<WhyResponse> => {
    const answer = await explainRun(store().deps, runId);
    if (answer === null) throw new Error(`there is no run ${runId}`);
    return answer;
  };
  const onlineRunner = async (labels: string[] = [], more: Partial<typeof testCapabilities> = {}) => {
    const taker = await store().runner(labels);
    await noteSeen(store().deps, new Map([[taker.runnerId, { ...testCapabilities, ...more }]]));
    return taker;
  };
  const lacks = async (runId: string, runnerId: string) =>
    (await why(runId)).runners.find((runner) => runner.runnerId === runnerId)?.lacks;
  const finish = async (labels: string[], durationMs: number, more: object = {}) => {
    await store().submit({ labels, priority: 9, ...more });
    const taker = await onlineRunner(labels, { concurrency: 9 });
    await settleByResult(store().deps, await taker.take(), { ...passed, durationMs });
    // Out of the way: the next run is for somebody else.
    await revokeRunner(store().deps, taker.runnerId);
  };

  describe('why a run waits', () => {
    it('is that its workspace has no runner, in a sentence that says what to type', async () => {
      const { submit, workspace, clock } = store();
      const runId = await submit({ labels: ['gpu'] });
      const since = new Date(clock.nowMs()).toISOString();
      await clock.advance(5_000);
      expect(await why(runId)).toEqual({
        runId,
        status: 'queued',
        state: 'waiting',
        summary: `The workspace ${workspace} has no runner. Pair one with the label gpu: qualinet-bridge code --workspace ${workspace} --labels gpu`,
        waitingSince: since,
        waitedMs: 5_000,
        availableAt: null,
        ahead: 0,
        lastEndReason: null,
        runners: [],
        moreRunners: 0,
      });
    });

    it('is nothing when a runner is free', async () => {
      const runId = await store().submit();
      const { runnerId } = await onlineRunner();
      expect(await why(runId)).toMatchObject({
        summary: 'One runner is free to take it; it should start within seconds.',
        runners: [{ runnerId, name: 'test-host', lacks: [], canTake: true }],
      });
    });

    it('is what each runner lacks: seen lately, labels, approval, orders and version', async () => {
      const { deps, submit, clock, workspace } = store();
      const runId = await submit({ labels: ['eu', 'gpu'] });
      const labels = ['eu', 'gpu', 'more'];
      const gone = await onlineRunner(labels);
      const goneAt = new Date(clock.nowMs()).toISOString();
      await clock.advance(60_000);
      const never = await store().runner(labels);
      const other = await onlineRunner(['eu']);
      const draining = await onlineRunner(labels);
      await drainRunner(deps, draining.runnerId, true);
      const revoked = await onlineRunner(labels);
      await revokeRunner(deps, revoked.runnerId);
      const old = await onlineRunner(labels, { protocol: 7 });
      expect(await lacks(runId, gone.runnerId)).toEqual([{ what: 'offline', lastSeenAt: goneAt }]);
      expect(await lacks(runId, never.runnerId)).toEqual([{ what: 'offline', lastSeenAt: null }]);
      expect(await lacks(runId, other.runnerId)).toEqual([{ what: 'labels', missing: ['gpu'] }]);
      expect(await lacks(runId, draining.runnerId)).toEqual([{ what: 'draining' }]);
      expect(await lacks(runId, revoked.runnerId)).toEqual([{ what: 'not_approved', state: 'revoked' }]);
      expect(await lacks(runId, old.runnerId)).toEqual([
        { what: 'too_old', protocol: 7, needs: protocolVersion },
      ]);
      const answer = await why(runId);
      expect(answer.runners.every(({ canTake }) => !canTake)).toBe(true);
      expect(answer.summary).toBe(
        `None of the 6 runners of the workspace ${workspace} can take it: 2 offline, ${[
          '1 newer than this bridge',
          '1 draining',
          '1 without the label gpu',
          '1 revoked',
        ]
          .sort((a, b) => answer.summary.indexOf(a) - answer.summary.indexOf(b))
          .join(', ')}.`,
      );
    });

    it('is that a runner is full, and free when runs of that flow usually end', async () => {
      const { submit, clock } = store();
      const [mine, other] = [{ variables: { A: 'mine' } }, { nodes: otherNodes }];
      for (const ms of [10_000, 90_000, 20_000]) await finish(['past'], ms, mine);
      await finish(['past'], 500_000, other);
      await submit(mine);
      const taker = await onlineRunner();
      const held = await taker.take();
      const runId = await submit();
      await clock.advance(15_000);
      const [full] = (await lacks(runId, taker.runnerId)) ?? [];
      expect(full).toMatchObject({ what: 'full', holds: 1, concurrency: 1, freeAtMostMs: runMs - 15_000 });
      expect((await why(runId)).summary).toMatch(
        /^The one runner that could take it is full; it is free in about \d+\.\d s\.$/,
      );
      // Where runs of a backend all belong to one flow, the fourth counts to it as well.
      expect([5_000, 40_000]).toContain(full?.what === 'full' ? full.freeInMs : null);
      await taker.beat(held);
      await clock.advance(45_000);
      expect(await lacks(runId, taker.runnerId)).toMatchObject([{ what: 'full', freeInMs: 0 }]);
    });

    it('takes the usual time of the workspace for a flow that never ran, and none where nothing ever ran', async () => {
      const { submit, clock } = store();
      await submit({ nodes: otherNodes });
      const taker = await onlineRunner();
      await taker.take();
      const runId = await submit();
      expect(await lacks(runId, taker.runnerId)).toEqual([
        { what: 'full', holds: 1, concurrency: 1, freeInMs: null, freeAtMostMs: runMs },
      ]);
      expect((await why(runId)).summary).toContain('it is free in 15 min 0 s at the latest');
      await finish(['past'], 30_000);
      await clock.advance(10_000);
      expect(await lacks(runId, taker.runnerId)).toMatchObject([{ freeInMs: 20_000 }]);
    });

    it('is not that a runner is offline as long as it heartbeats, though it has no free slot to poll for', async () => {
      const { submit, clock, deps } = store();
      await submit();
      const taker = await onlineRunner();
      const held = await taker.take();
      const runId = await submit();
      await clock.advance(50_000);
      await taker.beat(held);
      await clock.advance(50_000);
      expect(await lacks(runId, taker.runnerId)).toMatchObject([{ what: 'full' }]);
      const listed = (await listRunners(deps)).find(({ runnerId }) => runnerId === taker.runnerId);
      expect(listed).toMatchObject({
        online: true,
        holds: 1,
        lastSeenAt: new Date(clock.nowMs() - 50_000).toISOString(),
        capabilities: testCapabilities,
      });
      await clock.advance(leaseTtlMs);
      expect(await lacks(runId, taker.runnerId)).toMatchObject([{ what: 'offline' }, { what: 'full' }]);
    });

    it('is that others come first: of its workspace, for the same runners, by priority and age', async () => {
      const { submit } = store();
      await onlineRunner(['eu']);
      await submit({ labels: ['eu'] });
      await submit({ labels: ['gpu'] });
      await submit({ workspace: `w${randomUUID()}` });
      const runId = await submit({ labels: ['eu'] });
      await submit({ labels: ['eu'] });
      await submit({ priority: 1 });
      const answer = await why(runId);
      expect(answer.ahead).toBe(2);
      expect(answer.summary).toBe('One runner is free to take it; 2 runs come before it.');
    });

    it('is that it was handed back and is given out again later', async () => {
      const { submit, clock, deps } = store();
      const runId = await submit();
      const taker = await onlineRunner();
      const held = await taker.take();
      await releaseLease(deps, held, { reason: 'cannot_start', detail: 'no browser' });
      expect(await why(runId)).toMatchObject({
        state: 'waiting',
        availableAt: new Date(clock.nowMs() + handbackDelayMs).toISOString(),
        lastEndReason: 'cannot_start: no browser',
        summary: 'The run was handed back (cannot_start: no browser) and is given out again in 1.0 s.',
      });
      await clock.advance(handbackDelayMs);
      expect(await why(runId)).toMatchObject({ availableAt: null, runners: [{ canTake: true }] });
    });

    it('is answered in the same shape for a run that was given out, executes or is over', async () => {
      const { submit, clock, deps } = store();
      const runId = await submit();
      const taker = await onlineRunner();
      const [lease] = await taker.grant();
      const still = { waitingSince: null, waitedMs: null, ahead: 0, runners: [] };
      expect(await why(runId)).toMatchObject({
        ...still,
        state: 'offered',
        status: 'queued',
        summary: 'The run was given to runner test-host just now, which has yet to acknowledge it.',
      });
      const held = { leaseId: lease?.leaseId ?? '', fence: 1, runnerId: taker.runnerId };
      await taker.beat(held);
      await clock.advance(2_000);
      expect(await why(runId)).toMatchObject({
        ...still,
        state: 'running',
        status: 'running',
        summary: 'The run does not wait: runner test-host has been executing it for 2.0 s.',
      });
      await settleByResult(deps, held, passed);
      expect(await why(runId)).toMatchObject({
        ...still,
        state: 'over',
        status: 'passed',
        summary: 'The run does not wait: it is over (passed).',
      });
    });

    it('is that no bridge has taken it in, for a row of the backend without a lease; nothing without a row', async () => {
      const { submit, deps } = store();
      const runId = await submit();
      await deps.db.execute(`delete from qualinet.leases where run_id = '${runId}'`);
      expect(await why(runId)).toMatchObject({
        state: 'waiting',
        status: 'queued',
        waitingSince: null,
        runners: [],
        summary: expect.stringMatching(/^The run waits in its queue: no bridge has taken it in yet\./),
      });
      await deps.db.execute(`update public.runs set status = 'failed' where id = '${runId}'`);
      expect(await why(runId)).toMatchObject({ state: 'over', status: 'failed' });
      expect(await explainRun(deps, randomUUID())).toBeNull();
    });

    it('names no runner of another workspace', async () => {
      await onlineRunner();
      const runId = await store().submit({ workspace: `w${randomUUID()}` });
      expect(await why(runId)).toMatchObject({ runners: [], moreRunners: 0 });
    });
  });
}

const otherNodes = [
  { id: 's', type: 'start' },
  { id: 'open', type: 'navigate', data: { url: 'https://example.test/other' } },
  { id: 'buy', type: 'click', data: { selector: '#other' } },
];
