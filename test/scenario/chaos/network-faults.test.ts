import { expect, it, onTestFinished } from 'vitest';
import type { Fault } from './fault.ts';
import { startFleet } from './fleet.ts';
import { brokenPromises } from './invariants.ts';

// One run for each fault, several at a time: the fault strikes the first request of every kind that the run sends.
// Requests that belong to no lease (polls, hints, pictures) meet all faults one after the other.

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

it('every fault strikes every request of a run, and all runs end well', async () => {
  const fleet = await startFleet({ runners: 2, concurrency: 3 });
  onTestFinished(() => fleet.stop());
  const leases = new Map<string, { fault: Fault | undefined; struck: Set<string> }>();
  const others = new Map<string, number>();
  fleet.proxy.use(({ route, path }) => {
    const leaseId = /^\/v1\/leases\/([0-9a-f-]{36})\//.exec(path)?.[1];
    if (route === null) return null;
    if (leaseId === undefined) {
      const nth = others.get(route) ?? 0;
      others.set(route, nth + 1);
      return faults[nth] ?? null;
    }
    const lease = leases.get(leaseId) ?? { fault: faults[leases.size], struck: new Set() };
    leases.set(leaseId, lease);
    if (lease.struck.has(route)) return null;
    lease.struck.add(route);
    return lease.fault ?? null;
  });
  await Promise.all(fleet.runners.map((runner) => runner.start()));
  const runs = await Promise.all(faults.map(() => fleet.submit('wrong')));
  for (const run of runs) await fleet.finalRow(run, 120_000);
  for (const { fault, struck } of leases.values()) {
    expect([...struck], fault?.kind).toEqual(
      expect.arrayContaining(['heartbeat', 'postEvents', 'requestUpload', 'postResult']),
    );
  }
  expect(leases.size).toBe(faults.length);
  expect(await brokenPromises(fleet)).toEqual([]);
}, 180_000);
