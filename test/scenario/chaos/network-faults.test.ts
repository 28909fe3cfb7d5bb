import { expect, it, onTestFinished } from 'vitest';
import type { RouteName } from '../../../src/protocol/routes.ts';
import type { Fault } from './fault.ts';
import { startFleet } from './fleet.ts';
import { brokenPromises } from './invariants.ts';

// Each fault strikes the first request of every kind that a run sends, in one life.

const faults: readonly Fault[] = [
  { kind: 'reset' },
  { kind: 'requestLost' },
  { kind: 'blackHole', forMs: 3_000 },
  { kind: 'answerLost' },
  { kind: 'halfAnswer' },
  { kind: 'slowAnswer', forMs: 3_000 },
  { kind: 'html502' },
  { kind: 'html200' },
  { kind: 'duplicate', laterMs: 0 },
  { kind: 'duplicate', laterMs: 1_000 },
  { kind: 'reorder' },
  { kind: 'delay', ms: 500 },
];

for (const fault of faults) {
  it(`every request of a run meets ${Object.values(fault).join(' ')} once, and all ends well`, async () => {
    const fleet = await startFleet();
    onTestFinished(() => fleet.stop());
    const hit = new Set<RouteName>();
    fleet.proxy.use(({ route }) => {
      if (route === null || hit.has(route)) return null;
      hit.add(route);
      return fault;
    });
    await fleet.runners[0]?.start();
    const run = await fleet.submit('wrong');
    await fleet.finalRow(run);
    expect([...hit]).toEqual(
      expect.arrayContaining([
        'control',
        'pollLeases',
        'heartbeat',
        'postEvents',
        'requestUpload',
        'postResult',
      ]),
    );
    expect(await brokenPromises(fleet)).toEqual([]);
  }, 120_000);
}
