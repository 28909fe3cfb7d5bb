import { describe, expect, it, onTestFinished } from 'vitest';
import { type Fleet, type FleetOptions, startFleet } from './fleet.ts';
import { brokenPromises } from './invariants.ts';
import { type KilledLife, killAtJournalPoints, killAtNetworkPoints } from './kill-points.ts';

// The runner is killed at every point where it has written but not sent, or sent but not heard: all of them, one life each.
// A fresh process takes over the home, and everything ends well without waiting for the lease to end by itself.

describe('a runner that is killed', () => {
  for (const when of ['before', 'after', 'torn'] as const) {
    it(`${when} anything it does to its spool loses nothing and doubles nothing`, async () => {
      const fleet = await theFleet();
      const lives = await killAtJournalPoints(fleet, when, { flow: 'wrong', onRedelivery: 'rerun' });
      expect(lives.length).toBeGreaterThan(8);
      console.log(lives.map((l) => `${l.point} ${l.lastEndReason}`).join('\n'));
      await expectAllWell(fleet, lives);
    }, 180_000);
  }

  for (const when of ['arrived', 'answered'] as const) {
    it(`when a request of its has ${when} loses nothing and doubles nothing`, async () => {
      const fleet = await theFleet();
      const lives = await killAtNetworkPoints(fleet, when, { flow: 'wrong', onRedelivery: 'rerun' });
      const points = lives.map(({ point }) => point).join();
      for (const route of [
        'pollLeases',
        'heartbeat',
        'postEvents',
        'requestUpload',
        'putBlob',
        'postResult',
      ]) {
        expect(points).toContain(route);
      }
      console.log(lives.map((l) => `${l.point} ${l.lastEndReason}`).join('\n'));
      await expectAllWell(fleet, lives);
    }, 180_000);
  }
});

async function theFleet(options: FleetOptions = {}): Promise<Fleet> {
  const fleet = await startFleet(options);
  onTestFinished(() => fleet.stop());
  return fleet;
}

async function expectAllWell(fleet: Fleet, lives: readonly KilledLife[]): Promise<void> {
  // Whoever waited for the lease's end would have read `expired`.
  const waited = lives.filter(({ lastEndReason }) => !/^interrupted/.test(lastEndReason ?? 'interrupted'));
  expect(waited.map(({ point, lastEndReason }) => `${point}: ${lastEndReason}`)).toEqual([]);
  expect(await brokenPromises(fleet)).toEqual([]);
}
