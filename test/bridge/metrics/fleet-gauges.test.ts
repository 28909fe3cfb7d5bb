import { describe, expect, it } from 'vitest';
import { fleetReadings } from '../../../src/bridge/metrics/fleet-gauges.ts';
import type { Fleet, RunnerGroup, WaitingRuns } from '../../../src/bridge/metrics/read-fleet.ts';

const waiting = (labels: string[], runs: number, more: Partial<WaitingRuns> = {}): WaitingRuns => ({
  workspace: 'acme',
  labels,
  waiting: runs,
  delayed: 0,
  oldestMs: 1_000,
  ...more,
});
const runners = (labels: string[], free: number, more: Partial<RunnerGroup> = {}): RunnerGroup => ({
  workspace: 'acme',
  labels,
  state: 'idle',
  runners: 1,
  slots: free,
  free,
  ...more,
});

function gauges(fleet: Partial<Fleet>) {
  const readings = fleetReadings({
    waiting: [],
    runners: [],
    held: { offered: 0, leased: 0 },
    sweptMsAgo: null,
    ...fleet,
  });
  const samples = (name: string) => readings.find((reading) => reading.name === name)?.samples ?? [];
  /** `label values -> value` of a gauge. */
  const of = (name: string): Record<string, number> =>
    Object.fromEntries(samples(name).map(({ labels, value }) => [Object.values(labels).join(' '), value]));
  return { of, readings };
}

describe('runs without a slot', () => {
  it('are those beyond the free slots of runners that have their labels', () => {
    const { of } = gauges({
      waiting: [waiting([], 5), waiting(['gpu'], 2)],
      runners: [runners([], 3), runners(['gpu', 'eu'], 1, { state: 'busy' })],
    });
    expect(of('qualinet_runs_waiting')).toEqual({ 'acme ': 5, 'acme gpu': 2 });
    expect(of('qualinet_slots_free_for_runs')).toEqual({ 'acme ': 4, 'acme gpu': 1 });
    expect(of('qualinet_runs_without_slot')).toEqual({ 'acme ': 2, 'acme gpu': 1 });
  });

  it('leave able runners to the runs that need them', () => {
    const { of } = gauges({
      waiting: [waiting([], 1), waiting(['gpu'], 1)],
      runners: [runners(['gpu'], 1), runners([], 1)],
    });
    expect(of('qualinet_runs_without_slot')).toEqual({ 'acme ': 0, 'acme gpu': 0 });
  });

  it('are not those handed back for a while, and find no slot with runners that take none', () => {
    const { of } = gauges({
      waiting: [waiting([], 3, { delayed: 1 })],
      runners: (['offline', 'draining', 'too_old', 'pending'] as const).map((state) =>
        runners([], 5, { state }),
      ),
    });
    expect(of('qualinet_runs_without_slot')).toEqual({ 'acme ': 2 });
    expect(of('qualinet_runner_slots_free')).toEqual({ acme: 0 });
    expect(of('qualinet_leases')).toEqual({ ready: 2, delayed: 1, offered: 0, leased: 0 });
  });

  it('find no slot in another workspace', () => {
    const { of } = gauges({
      waiting: [waiting([], 1)],
      runners: [runners([], 9, { workspace: 'other-team' })],
    });
    expect(of('qualinet_runs_without_slot')).toEqual({ 'acme ': 1 });
  });

  it('are counted together for the same labels in another order', () => {
    const { of } = gauges({
      waiting: [waiting(['b', 'a'], 1), waiting(['a', 'b'], 2)],
      runners: [runners(['a', 'b'], 1)],
    });
    expect(of('qualinet_runs_waiting')).toEqual({ 'acme a,b': 3 });
    expect(of('qualinet_runs_without_slot')).toEqual({ 'acme a,b': 2 });
    expect(of('qualinet_slots_free_for_runs')).toEqual({ 'acme a,b': 1 });
  });
});

describe('series', () => {
  it('are at most 200 for workspaces and 200 for labels, the smallest together as other', () => {
    const many = Array.from({ length: 1_000 }, (_, at) =>
      waiting([`l${at}`], at === 999 ? 50 : 1, { workspace: `w${at}`, oldestMs: at * 1_000 }),
    );
    const { of } = gauges({
      waiting: many,
      runners: many.map(({ workspace }) => runners([], 1, { workspace })),
    });
    const runs = of('qualinet_runs_waiting');
    expect(Object.keys(runs)).toHaveLength(201);
    expect(runs['w999 l999']).toBe(50);
    expect(runs['other other']).toBe(800);
    const ages = of('qualinet_oldest_waiting_run_age_seconds');
    expect(Object.keys(ages)).toHaveLength(201);
    expect(ages['other']).toBe(998);
    expect(of('qualinet_runner_slots')['other']).toBe(800);
    expect(Object.keys(of('qualinet_runners'))).toHaveLength(201 * 6);
  });

  it('of a workspace whose runs are all taken say so with zeros', () => {
    const { of } = gauges({ runners: [runners([], 2, { runners: 2 })] });
    expect(of('qualinet_oldest_waiting_run_age_seconds')).toEqual({ acme: 0 });
    expect(of('qualinet_runners')).toMatchObject({ 'acme idle': 2, 'acme busy': 0 });
  });
});
