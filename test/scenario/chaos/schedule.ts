import fc from 'fast-check';
import type { RouteName } from '../../../src/protocol/routes.ts';
import type { ChaosFlowName } from './chaos-flows.ts';
import type { ChaosRun } from './fleet.ts';

/** What goes wrong at some time of a schedule. Runners count from 0. */
export type Disturbance =
  | {
      what: 'network';
      kind: NetworkFault;
      /** Null: whatever comes next. */
      route: RouteName | null;
      /** Requests it strikes. */
      times: number;
    }
  | { what: 'refuse'; forMs: number }
  | { what: 'idleCut'; afterMs: number; forMs: number }
  | { what: 'killRunner'; runner: number; forMs: number }
  | { what: 'stopRunner'; runner: number }
  | { what: 'freezeRunner'; runner: number; withBrowser: boolean; forMs: number }
  | { what: 'killBrowser'; runner: number }
  | { what: 'killRenderer'; runner: number }
  | { what: 'fullDisk'; runner: number; kinds: ('pictures' | 'events' | 'result')[]; forMs: number }
  | { what: 'moveClock'; runner: number; byMs: number }
  | { what: 'killBridge'; forMs: number }
  | { what: 'killRedis'; forMs: number }
  | { what: 'killPostgres'; forMs: number };

const networkFaults = [
  'reset',
  'requestLost',
  'blackHole',
  'answerLost',
  'halfAnswer',
  'slowAnswer',
  'html502',
  'html200',
  'duplicate',
  'duplicateLater',
  'reorder',
  'delay',
] as const;
export type NetworkFault = (typeof networkFaults)[number];

/** Runs that are submitted and what goes wrong meanwhile, each at its time. */
export interface Schedule {
  readonly runs: readonly { atMs: number; flow: ChaosFlowName; onRedelivery: ChaosRun['onRedelivery'] }[];
  readonly disturbances: readonly (Disturbance & { atMs: number })[];
}

export interface ScheduleSizes {
  /** Most runs, and most disturbances. */
  runs: number;
  faults: number;
  /** Disturbances begin within this time. */
  windowMs: number;
  runners: number;
  /** True where there are servers to kill. */
  servers: boolean;
}

/** All schedules of these sizes. */
export function schedules({
  runs,
  faults,
  windowMs,
  runners,
  servers,
}: ScheduleSizes): fc.Arbitrary<Schedule> {
  const at = fc.integer({ min: 0, max: windowMs });
  const runner = fc.nat({ max: runners - 1 });
  const forMs = (max: number) => fc.integer({ min: 100, max });
  const route = fc.constantFrom<RouteName | null>(
    null,
    'pollLeases',
    'heartbeat',
    'postEvents',
    'postResult',
    'releaseLease',
    'requestUpload',
    'putBlob',
    'control',
  );
  const network: fc.Arbitrary<Disturbance> = fc.record({
    what: fc.constant('network' as const),
    kind: fc.constantFrom(...networkFaults),
    route,
    times: fc.integer({ min: 1, max: 4 }),
  });
  const others: fc.Arbitrary<Disturbance>[] = [
    fc.record({ what: fc.constant('refuse' as const), forMs: forMs(4_000) }),
    fc.record({
      what: fc.constant('idleCut' as const),
      afterMs: fc.integer({ min: 200, max: 2_000 }),
      forMs: forMs(6_000),
    }),
    fc.record({ what: fc.constant('killRunner' as const), runner, forMs: forMs(2_000) }),
    fc.record({ what: fc.constant('stopRunner' as const), runner }),
    fc.record({
      what: fc.constant('freezeRunner' as const),
      runner,
      withBrowser: fc.boolean(),
      forMs: forMs(10_000),
    }),
    fc.record({ what: fc.constant('killBrowser' as const), runner }),
    fc.record({ what: fc.constant('killRenderer' as const), runner }),
    fc.record({
      what: fc.constant('fullDisk' as const),
      runner,
      kinds: fc.subarray(['pictures' as const, 'events' as const, 'result' as const], { minLength: 1 }),
      forMs: forMs(4_000),
    }),
    fc.record({
      what: fc.constant('moveClock' as const),
      runner,
      byMs: fc.constantFrom(-7_200_000, -90_000, 90_000, 7_200_000),
    }),
    fc.record({ what: fc.constant('killBridge' as const), forMs: forMs(3_000) }),
    ...(servers
      ? [
          fc.record({ what: fc.constant('killRedis' as const), forMs: forMs(3_000) }),
          fc.record({ what: fc.constant('killPostgres' as const), forMs: forMs(3_000) }),
        ]
      : []),
  ];
  const disturbance = fc.oneof(
    { weight: 6, arbitrary: network },
    ...others.map((arbitrary) => ({ weight: 1, arbitrary })),
  );
  // Without fast-check's bias to small numbers: everything would happen in the first moments.
  return fc.noBias(
    fc.record({
      runs: fc.array(
        fc.record({
          // Early enough for something to go wrong while they are under way.
          atMs: fc.integer({ min: 0, max: Math.round(windowMs * 0.7) }),
          flow: fc.constantFrom<ChaosFlowName>('look', 'quick', 'buy', 'wrong', 'long'),
          onRedelivery: fc.constantFrom<ChaosRun['onRedelivery']>('rerun', 'rerun', 'auto', 'fail'),
        }),
        { minLength: Math.min(4, runs), maxLength: runs },
      ),
      disturbances: fc.array(
        fc.tuple(at, disturbance).map(([atMs, one]) => ({ atMs, ...one })),
        { minLength: Math.min(4, faults), maxLength: faults },
      ),
    }),
  );
}

/** A schedule as people read it, one line for each thing in order of time. */
export function scheduleText({ runs, disturbances }: Schedule): string[] {
  const lines = [
    ...runs.map(({ atMs, flow, onRedelivery }) => ({ atMs, text: `run ${flow} (${onRedelivery})` })),
    ...disturbances.map(({ atMs, what, ...more }) => ({
      atMs,
      text: `${what} ${Object.entries(more)
        .map(([name, value]) => `${name}=${String(value)}`)
        .join(' ')}`,
    })),
  ];
  return lines
    .sort((a, b) => a.atMs - b.atMs)
    .map(({ atMs, text }) => `${String(atMs).padStart(6)} ms  ${text}`);
}
