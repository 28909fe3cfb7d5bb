import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BridgeDeps, startBridge } from '../../src/bridge/bridge.ts';
import { readBridgeConfig } from '../../src/bridge/config.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import type { Lease } from '../../src/protocol/messages.ts';
import type { RunResult, StepEvent } from '../../src/protocol/run-result.ts';
import type { BridgeFixture } from './bridge-fixture.ts';
import { pairRunner, type SignedClient, signedClient, testCapabilities } from './signed-client.ts';

/** What all bridges on the same servers are given. */
export const sharedSecrets = {
  WORKER_SECRET: 'a worker secret of all bridges',
  QUALINET_ADMIN_TOKEN: 'operator-token-of-all-bridges',
};

/** Times of the intake under which a test sees in a second what takes a minute. */
const shortTimes = {
  lockMs: 1_500,
  stalledCheckMs: 400,
  fetchMs: 1_000,
  outageWaitMs: 100,
  tickMs: 20,
  lookMs: 150,
  tellingMs: 100,
};

/** A bridge in this process on servers that others share. */
export async function serversBridge({
  redisUrl,
  databaseUrl,
  queues,
  intakeTimes = {},
  env = {},
  ...deps
}: {
  redisUrl: string;
  databaseUrl: string;
  queues: readonly string[];
  env?: Record<string, string>;
} & Partial<BridgeDeps>): Promise<BridgeFixture> {
  const dataDir = await mkdtemp(join(tmpdir(), 'qualinet-bridge-test-'));
  const config = readBridgeConfig({
    PORT: '0',
    QUALINET_DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    QUALINET_QUEUES: queues.join(','),
    ...sharedSecrets,
    ...env,
  });
  const bridge = await startBridge(config, {
    clock: systemClock,
    log: silentLog,
    timing: { sweepMs: 100 },
    intakeTimes: { ...shortTimes, ...intakeTimes },
    ...deps,
  });
  return {
    bridge,
    config,
    async end() {
      await bridge.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** A runner without a browser: it does with a lease what a test says. */
export interface QuickRunner {
  runnerId: string;
  client: SignedClient;
  poll(slots?: number, waitMs?: number): Promise<Lease[]>;
  /** Polls until there is a lease and acknowledges it. */
  take(): Promise<Lease>;
  beat(lease: Lease): Promise<string[]>;
  events(lease: Lease, first: number, events: readonly StepEvent[]): Promise<void>;
  finish(lease: Lease, result?: Partial<RunResult>): Promise<void>;
  /** Finishes whatever comes, in order, until `runs` are done; their ids. */
  work(runs: number): Promise<string[]>;
  /** The same runner at another bridge of the same servers. */
  at(url: string): QuickRunner;
}

export const passedResult: RunResult = {
  status: 'passed',
  durationMs: 1_200,
  stepsResult: [
    { nodeId: 'open', type: 'navigate', status: 'passed', durationMs: 800 },
    { nodeId: 'buy', type: 'click', status: 'passed', durationMs: 400, logs: 'Clicked #buy' },
  ],
};

export async function quickRunner(
  { bridge }: BridgeFixture,
  options: { workspace?: string; labels?: string[] } = {},
): Promise<QuickRunner> {
  const { runnerId, client } = await pairRunner(bridge.url, bridge.adminToken, options);
  return runnerAt(runnerId, client);
}

function runnerAt(runnerId: string, client: SignedClient): QuickRunner {
  const runner: QuickRunner = {
    runnerId,
    client,
    async poll(slots = 1, waitMs = 10_000) {
      return (await client.call('pollLeases', { body: { slots, waitMs, capabilities: testCapabilities } }))
        .leases;
    },
    async take() {
      for (;;) {
        const [lease] = await runner.poll();
        if (lease === undefined) continue;
        await runner.beat(lease);
        return lease;
      }
    },
    async beat({ leaseId, fence }) {
      return (await client.call('heartbeat', { params: { leaseId }, body: { fence, nodeId: null } })).orders;
    },
    async events({ leaseId, fence }, first, events) {
      const numbered = events.map((event, index) => ({
        seq: first + index,
        at: new Date().toISOString(),
        event,
      }));
      await client.call('postEvents', { params: { leaseId }, body: { fence, events: numbered } });
    },
    async finish({ leaseId, fence }, result = {}) {
      await client.call('postResult', {
        params: { leaseId },
        body: { fence, result: { ...passedResult, ...result } },
      });
    },
    async work(runs) {
      const done: string[] = [];
      while (done.length < runs) {
        const lease = await runner.take();
        await runner.finish(lease);
        done.push(lease.runId);
      }
      return done;
    },
    at: (url) => runnerAt(runnerId, signedClient(url, client.key)),
  };
  return runner;
}
