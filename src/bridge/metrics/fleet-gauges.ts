import type { LeaseDeps } from '../leases/lease-deps.ts';
import type { GaugeReading, GaugeSample, GaugeSource } from './gauges.ts';
import { type Fleet, type RunnerGroup, readFleet, type WaitingRuns } from './read-fleet.ts';

/** Runs and runners of all bridges together, from the database they share. */
export function fleetGauges(deps: Pick<LeaseDeps, 'db' | 'now' | 'timing'>): GaugeSource {
  return async () => fleetReadings(await readFleet(deps));
}

/** Workspaces, and pairs of workspace and labels, that are told apart; the rest is `other`. */
const maxSeries = 200;
const rest = 'other';

const all = 'All bridges together, from the database they share:';

/** The gauges of a fleet. */
export function fleetReadings({ waiting, held, runners, sweptMsAgo }: Fleet): GaugeReading[] {
  const queues = queuesOf(waiting, runners);
  const spaces = workspacesOf(waiting, runners);
  const ready = sum(waiting, (group) => group.waiting - group.delayed);
  const delayed = sum(waiting, (group) => group.delayed);
  const byQueue = (value: (queue: Queue) => number): GaugeSample[] =>
    queues.map((queue) => ({
      labels: { workspace: queue.workspace, labels: queue.labels },
      value: value(queue),
    }));
  const byWorkspace = (value: (space: Workspace) => number): GaugeSample[] =>
    spaces.map((space) => ({ labels: { workspace: space.name }, value: value(space) }));
  return [
    {
      name: 'qualinet_runs_waiting',
      help: `${all} runs that wait for a runner, by workspace and the labels they need.`,
      samples: byQueue((queue) => queue.waiting),
    },
    {
      name: 'qualinet_runs_without_slot',
      help: `${all} waiting runs for which no runner that has their labels has a free slot: what an autoscaler adds runners for. Each free slot counts for one run only.`,
      samples: byQueue((queue) => queue.withoutSlot),
    },
    {
      name: 'qualinet_slots_free_for_runs',
      help: `${all} free slots of runners that have the labels of these waiting runs; a runner counts for every set of labels that it has.`,
      samples: byQueue((queue) => queue.slotsFree),
    },
    {
      name: 'qualinet_oldest_waiting_run_age_seconds',
      help: `${all} how long the oldest waiting run of the workspace has waited, 0 when none waits.`,
      samples: byWorkspace((space) => space.oldestMs / 1_000),
    },
    {
      name: 'qualinet_leases',
      help: `${all} runs that are not over, by state of their lease: ready, delayed (handed back, given out again later), offered, leased.`,
      samples: Object.entries({ ready, delayed, ...held }).map(([state, value]) => ({
        labels: { state },
        value,
      })),
    },
    {
      name: 'qualinet_runners',
      help: `${all} runners by workspace and state: idle, busy, draining, offline, too_old, pending (to be approved).`,
      samples: spaces.flatMap((space) =>
        runnerStates.map((state) => ({
          labels: { workspace: space.name, state },
          value: space.runners.get(state) ?? 0,
        })),
      ),
    },
    {
      name: 'qualinet_runner_slots',
      help: `${all} runs that the online runners of the workspace can hold at once.`,
      samples: byWorkspace((space) => space.slots),
    },
    {
      name: 'qualinet_runner_slots_free',
      help: `${all} runs that they could take now.`,
      samples: byWorkspace((space) => space.slotsFree),
    },
    {
      name: 'qualinet_last_sweep_age_seconds',
      help: `${all} time since one of them last looked over the leases; it should stay near 1.`,
      samples: sweptMsAgo === null ? [] : [{ labels: {}, value: sweptMsAgo / 1_000 }],
    },
  ];
}

const runnerStates = ['idle', 'busy', 'draining', 'offline', 'too_old', 'pending'] as const;

interface Queue {
  workspace: string;
  labels: string;
  waiting: number;
  withoutSlot: number;
  slotsFree: number;
}

function queuesOf(waiting: readonly WaitingRuns[], runners: readonly RunnerGroup[]): Queue[] {
  const pools = new Map<string, { labels: Set<string>; free: number; left: number }[]>();
  for (const { workspace, labels, free } of runners.filter(canTake)) {
    const pool = pools.get(workspace) ?? [];
    pools.set(workspace, pool);
    pool.push({ labels: new Set(labels), free, left: free });
  }
  // The most demanding runs choose first, and of the runners that fit the least able one: so few are left without.
  for (const pool of pools.values()) pool.sort((a, b) => a.labels.size - b.labels.size);
  const demanding = [...waiting].sort((a, b) => b.labels.length - a.labels.length);
  const queues = demanding.map(({ workspace, labels, waiting: runs, delayed }): Queue => {
    const fitting = (pools.get(workspace) ?? []).filter((pool) =>
      labels.every((label) => pool.labels.has(label)),
    );
    let withoutSlot = runs - delayed;
    for (const pool of fitting) {
      const taken = Math.min(withoutSlot, pool.left);
      pool.left -= taken;
      withoutSlot -= taken;
    }
    return {
      workspace,
      labels: [...new Set(labels)].sort().join(','),
      waiting: runs,
      withoutSlot,
      slotsFree: sum(fitting, ({ free }) => free),
    };
  });
  const kept = new Map<string, Queue>();
  for (const queue of queues.sort((a, b) => b.waiting - a.waiting || byName(a, b))) {
    const isKept = kept.size < maxSeries || kept.has(keyOf(queue));
    const into = isKept ? queue : { ...queue, workspace: rest, labels: rest };
    const before = kept.get(keyOf(into));
    kept.set(
      keyOf(into),
      before === undefined
        ? into
        : {
            ...before,
            waiting: before.waiting + into.waiting,
            withoutSlot: before.withoutSlot + into.withoutSlot,
            slotsFree: isKept
              ? Math.max(before.slotsFree, into.slotsFree)
              : before.slotsFree + into.slotsFree,
          },
    );
  }
  return [...kept.values()];
}

interface Workspace {
  name: string;
  oldestMs: number;
  runners: Map<RunnerGroup['state'], number>;
  slots: number;
  slotsFree: number;
}

function workspacesOf(waiting: readonly WaitingRuns[], runners: readonly RunnerGroup[]): Workspace[] {
  const sizes = new Map<string, number>();
  for (const { workspace, waiting: runs } of waiting)
    sizes.set(workspace, (sizes.get(workspace) ?? 0) + runs);
  for (const { workspace, runners: count } of runners)
    sizes.set(workspace, (sizes.get(workspace) ?? 0) + count);
  const largest = [...sizes].sort(([a, sizeOfA], [b, sizeOfB]) => sizeOfB - sizeOfA || (a < b ? -1 : 1));
  const named = new Set(largest.slice(0, maxSeries).map(([name]) => name));
  const spaces = new Map<string, Workspace>();
  const spaceOf = (workspace: string): Workspace => {
    const name = named.has(workspace) ? workspace : rest;
    const known = spaces.get(name) ?? { name, oldestMs: 0, runners: new Map(), slots: 0, slotsFree: 0 };
    spaces.set(name, known);
    return known;
  };
  for (const { workspace, oldestMs } of waiting) {
    const space = spaceOf(workspace);
    space.oldestMs = Math.max(space.oldestMs, oldestMs);
  }
  for (const group of runners) {
    const space = spaceOf(group.workspace);
    space.runners.set(group.state, (space.runners.get(group.state) ?? 0) + group.runners);
    if (!canTake(group)) continue;
    space.slots += group.slots;
    space.slotsFree += group.free;
  }
  return [...spaces.values()];
}

function canTake({ state }: RunnerGroup): boolean {
  return state === 'idle' || state === 'busy';
}

function keyOf({ workspace, labels }: Queue): string {
  return `${workspace} ${labels}`;
}

function byName(a: Queue, b: Queue): number {
  return keyOf(a) < keyOf(b) ? -1 : 1;
}

function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
