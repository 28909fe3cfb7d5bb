import { afterEach, expect, it } from 'vitest';
import { type Fleet, startFleet } from './fleet.ts';
import { brokenPromises } from './invariants.ts';
import { type KilledLife, killAtJournalPoints, killAtNetworkPoints } from './kill-points.ts';

// The runner is killed at every point where it has written but not sent, or sent but not heard: all of them, one life each.
// A fresh process takes over the home, and everything ends well without waiting for the lease to end by itself. The loops
// go on beside each other, because much of their time is waiting.

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0)) await step();
});

const killed = { flow: 'wrong', onRedelivery: 'rerun' } as const;

it('a runner that is killed before or within anything it writes loses nothing and doubles nothing', async () => {
  // `torn` writes half of what is written, and is after everything else that is done: both sides of each point.
  const [before, torn] = await Promise.all(
    (['before', 'torn'] as const).map((when) =>
      withFleet(async (fleet) => ({ fleet, lives: await killAtJournalPoints(fleet, when, killed) })),
    ),
  );
  for (const loop of [before, torn]) {
    expect(pointsOf(loop?.lives)).toMatch(/lease\.json.*events.*picture.*ending/s);
    await expectAllWell(loop);
  }
}, 240_000);

it('a runner that is killed when its request arrives, or before it hears the answer, loses nothing and doubles nothing', async () => {
  const [arrived, answered] = await Promise.all(
    (['arrived', 'answered'] as const).map((when) =>
      withFleet(async (fleet) => ({ fleet, lives: await killAtNetworkPoints(fleet, when, killed) })),
    ),
  );
  for (const loop of [arrived, answered]) {
    expect(pointsOf(loop?.lives)).toMatch(
      /pollLeases.*heartbeat.*postEvents.*requestUpload.*putBlob.*postResult/s,
    );
    await expectAllWell(loop);
  }
}, 240_000);

interface Loop {
  fleet: Fleet;
  lives: readonly KilledLife[];
}

async function withFleet(loop: (fleet: Fleet) => Promise<Loop>): Promise<Loop> {
  const fleet = await startFleet();
  undo.push(() => fleet.stop());
  return loop(fleet);
}

function pointsOf(lives: readonly KilledLife[] = []): string {
  return lives.map(({ point }) => point).join('\n');
}

async function expectAllWell(loop: Loop | undefined): Promise<void> {
  if (loop === undefined) throw new Error('there was no loop');
  // Whoever waited for the lease's end would have read `expired`.
  const waited = loop.lives.filter(
    ({ lastEndReason }) => !/^interrupted/.test(lastEndReason ?? 'interrupted'),
  );
  expect(waited.map(({ point, lastEndReason }) => `${point}: ${lastEndReason}`)).toEqual([]);
  expect(await brokenPromises(loop.fleet)).toEqual([]);
}
