import { randomUUID } from 'node:crypto';
import { clockNow, type Database } from '../../src/bridge/db/database.ts';
import type { EventLog } from '../../src/bridge/events/event-log.ts';
import { createTeller } from '../../src/bridge/events/teller.ts';
import type { Hint, Hints } from '../../src/bridge/hints.ts';
import { grantLeases } from '../../src/bridge/leases/grant-leases.ts';
import type { HeldLease } from '../../src/bridge/leases/held-lease.ts';
import { keepLease } from '../../src/bridge/leases/keep-lease.ts';
import type { LeaseDeps } from '../../src/bridge/leases/lease-deps.ts';
import type { RunEnd } from '../../src/bridge/leases/run-end.ts';
import type { Blobs } from '../../src/bridge/pictures/blobs.ts';
import { enrolRunner } from '../../src/bridge/runners/enrol.ts';
import { readRun, submitRun } from '../../src/bridge/runs/runs.ts';
import { defaultTiming } from '../../src/bridge/timing.ts';
import { silentLog } from '../../src/lib/log.ts';
import { Secret } from '../../src/lib/secret.ts';
import type { Lease, RunView, SubmitRequest } from '../../src/protocol/messages.ts';
import type { RunResult } from '../../src/protocol/run-result.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { testHost } from '../support/signed-client.ts';

/** An empty, migrated database with the table `runs`, and what tells and keeps the updates of runs. */
export interface OpenedStores {
  db: Database;
  hints: Hints;
  events: EventLog;
  blobs: Blobs;
  /** A flow of the backend, where there is one. */
  flowId?: string;
  close(): Promise<void>;
}

/** Opens them; the suite closes them. */
export type OpenStores = () => Promise<OpenedStores>;

/** A store under test: real statements on a real database, time under the test's hand. */
export interface Store {
  deps: LeaseDeps;
  clock: ManualClock;
  hints: Hint[];
  /** What observers of runs were told. */
  ended: RunEnd[];
  pepper: Buffer;
  workerSecret: Secret;
  /** A workspace nobody else uses, so that tests share one database. */
  workspace: string;
  submit(more?: Partial<SubmitRequest>): Promise<string>;
  runner(labels?: string[]): Promise<Taker>;
  run(runId: string): Promise<RunView>;
  /** The state column of the run's lease. */
  state(runId: string): Promise<string | undefined>;
}

/** An approved runner of the store's workspace. */
interface Taker {
  runnerId: string;
  grant(slots?: number): Promise<Lease[]>;
  /** Grants one and acknowledges it. */
  take(): Promise<HeldLease & { runId: string }>;
  beat(held: HeldLease, nodeId?: string | null): ReturnType<typeof keepLease>;
}

export function storeOn({ db, hints, events, flowId }: OpenedStores): Store {
  const clock = new ManualClock();
  const heard: Hint[] = [];
  hints.subscribe((hint) => heard.push(hint));
  const ended: RunEnd[] = [];
  const workspace = `w${randomUUID()}`;
  const now = clockNow(clock);
  const teller = createTeller({ db, now, events, log: silentLog });
  const deps: LeaseDeps = {
    db,
    now,
    timing: defaultTiming,
    hints,
    events,
    teller,
    // A sweep ends what other tests on the same database left, too.
    observe(run) {
      if (run.workspace === workspace) ended.push(run);
    },
    log: silentLog,
  };
  const workerSecret = new Secret('a worker secret of the contract');
  return {
    deps,
    clock,
    hints: heard,
    ended,
    pepper: Buffer.from('pepper'),
    workerSecret,
    workspace,
    submit: async (more = {}) =>
      (
        await submitRun(deps, {
          ...sampleFlow,
          workspace,
          ...(flowId === undefined ? {} : { flowId }),
          ...more,
        })
      ).runId,
    async runner(labels = []) {
      const runnerId = randomUUID();
      await enrolRunner({ ...deps, workerSecrets: [workerSecret] }, runnerId, { host: testHost, labels });
      await db.execute(`update qualinet.runners set workspace = '${workspace}' where id = '${runnerId}'`);
      const taker = { runnerId, workspace, labels };
      const beat: Taker['beat'] = (held, nodeId = null) => keepLease(deps, held, nodeId);
      return {
        runnerId,
        grant: (slots = 1) => grantLeases(deps, taker, slots),
        async take() {
          const [lease] = await grantLeases(deps, taker, 1);
          if (lease === undefined) throw new Error('there was no run to take');
          const held = { leaseId: lease.leaseId, fence: lease.fence, runnerId };
          if ((await beat(held)) === null) throw new Error('the offer could not be taken');
          return { ...held, runId: lease.runId };
        },
        beat,
      };
    },
    async run(runId) {
      const run = await readRun(deps, runId);
      if (run === null) throw new Error(`there is no run ${runId}`);
      return run;
    },
    async state(runId) {
      const result = (await db.execute(
        `select state from qualinet.leases where run_id = '${runId}'`,
      )) as unknown as { rows: { state: string }[] };
      return result.rows[0]?.state;
    },
  };
}

const sampleFlow = {
  nodes: [
    { id: 's', type: 'start' },
    { id: 'open', type: 'navigate', data: { url: 'https://example.test/' } },
    { id: 'buy', type: 'click', data: { selector: '#buy' } },
  ],
  edges: [
    { source: 's', target: 'open' },
    { source: 'open', target: 'buy' },
  ],
};

export const passed: RunResult = {
  status: 'passed',
  durationMs: 1_200,
  stepsResult: [{ nodeId: 'open', type: 'navigate', status: 'passed', durationMs: 800 }],
};
