import { describe, expect, it } from 'vitest';
import { releaseLease } from '../../src/bridge/leases/release-lease.ts';
import { renewAfterSilence } from '../../src/bridge/leases/renew-after-silence.ts';
import { readFleet } from '../../src/bridge/metrics/read-fleet.ts';
import { redeemCode } from '../../src/bridge/runners/pairing.ts';
import { createCode } from '../../src/bridge/runners/pairing-codes.ts';
import { drainRunner, noteSeen, revokeRunner } from '../../src/bridge/runners/runners.ts';
import { defaultTiming } from '../../src/bridge/timing.ts';
import { newExchangeKeys } from '../../src/protocol/keys.ts';
import { testCapabilities, testHost } from '../support/signed-client.ts';
import type { Store } from './open-store.ts';

/** What metrics are made of. Tests share the database, so each looks at its own workspace. */
export function fleetContract(store: () => Store): void {
  const fleet = async () => {
    const { waiting, runners, ...rest } = await readFleet(store().deps);
    const own = ({ workspace }: { workspace: string }): boolean => workspace === store().workspace;
    const byLabels = (a: { labels: string[] }, b: { labels: string[] }): number =>
      a.labels.join() < b.labels.join() ? -1 : 1;
    return { waiting: waiting.filter(own).sort(byLabels), runners: runners.filter(own), ...rest };
  };

  describe('the fleet', () => {
    it('has the runs that wait by labels, with those handed back for a while and the age of the oldest', async () => {
      const { submit, runner, clock, deps, workspace } = store();
      await submit();
      await clock.advance(4_000);
      await submit();
      await submit({ labels: ['gpu', 'eu'] });
      const taker = await runner();
      await releaseLease(deps, await taker.take(), { reason: 'cannot_start' });
      await clock.advance(500);
      expect((await fleet()).waiting).toEqual([
        { workspace, labels: [], waiting: 2, delayed: 1, oldestMs: 4_500 },
        { workspace, labels: ['gpu', 'eu'], waiting: 1, delayed: 0, oldestMs: 500 },
      ]);
    });

    it('counts offered and leased runs', async () => {
      const { submit, runner } = store();
      const before = await fleet();
      for (let run = 0; run < 3; run += 1) await submit();
      const taker = await runner();
      await taker.take();
      await taker.grant(2);
      const { held } = await fleet();
      expect(held).toEqual({ offered: before.held.offered + 2, leased: before.held.leased + 1 });
    });

    it('has the runners by state, with their slots', async () => {
      const { submit, runner, clock, deps, workspace, pepper, workerSecret } = store();
      // After the wrong guesses of other tests, which share the database.
      await clock.advance(5 * 3_600_000);
      const seen = async (more: Partial<typeof testCapabilities> = {}) => {
        const taker = await runner(['eu']);
        await noteSeen(deps, new Map([[taker.runnerId, { ...testCapabilities, ...more }]]));
        return taker;
      };
      await seen();
      await clock.advance(60_000);
      await runner(['eu']);
      await seen({ concurrency: 4 });
      await seen({ concurrency: 2 });
      const busy = await seen({ concurrency: 3 });
      for (let run = 0; run < 2; run += 1) await submit();
      await busy.grant(2);
      await drainRunner(deps, (await seen()).runnerId, true);
      await seen({ protocol: 99 });
      await revokeRunner(deps, (await seen()).runnerId);
      const { code } = await createCode({ ...deps, peppers: [pepper] }, { workspace, labels: ['eu'] }, false);
      await redeemCode(
        { ...deps, peppers: [pepper], workerSecrets: [workerSecret] },
        { code, publicKey: newExchangeKeys().publicKey, host: testHost },
        { managed: false, ip: '10.9.9.9' },
      );
      const runners = async () =>
        Object.fromEntries(
          (await fleet()).runners.map(({ state, runners: count, slots, free }) => [
            state,
            [count, slots, free].join(' '),
          ]),
        );
      expect(await runners()).toEqual({
        offline: '2 2 2',
        idle: '2 6 6',
        busy: '1 3 1',
        draining: '1 1 1',
        too_old: '1 1 1',
        pending: '1 1 1',
      });
      // A pairing that was not decided in time is no longer pending.
      await clock.advance(defaultTiming.pairingMs);
      expect(await runners()).toEqual({ offline: '7 13 11' });
    });

    it('says how long ago the leases were looked over', async () => {
      const { clock, deps } = store();
      await renewAfterSilence(deps);
      await clock.advance(1_500);
      expect((await fleet()).sweptMsAgo).toBe(1_500);
    });
  });
}
