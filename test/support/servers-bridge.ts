import type { Bridge, BridgeDeps } from '../../src/bridge/bridge.ts';
import type { Lease } from '../../src/protocol/messages.ts';
import type { RunResult, StepEvent } from '../../src/protocol/run-result.ts';
import { sharedBridge } from './shared-bridge.ts';
import { pairRunner, type SignedClient, signedClient, testCapabilities } from './signed-client.ts';

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

/** A bridge in this process, and its end. */
export interface ServersBridge {
  readonly bridge: Bridge;
  end(): Promise<void>;
}

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
} & Partial<BridgeDeps>): Promise<ServersBridge> {
  const servers = { redisUrl, databaseUrl };
  const bridge = await sharedBridge(servers, {
    timing: { sweepMs: 100 },
    intakeTimes: { ...shortTimes, ...intakeTimes },
    ...deps,
    env: { QUALINET_QUEUES: queues.join(','), ...env },
  });
  return { bridge, end: () => bridge.close() };
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
  { bridge }: ServersBridge,
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
