import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import type { RunView, SubmitRequest } from '../../../src/protocol/messages.ts';
import { isFinal } from '../../../src/protocol/run-result.ts';
import { freePort } from '../../support/server-programs.ts';
import { storedRows } from '../../support/stored-rows.ts';
import { adminToken, pairRunner, workerSecret } from '../../support/system.ts';
import { until } from '../../support/until.ts';
import { type ChaosBridge, startChaosBridge } from './chaos-bridge.ts';
import { type ChaosFlowName, chaosFlow } from './chaos-flows.ts';
import { type ChaosRunner, chaosRunner } from './chaos-runner.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { type Shop, startShop } from './shop.ts';

/** A run that was submitted. */
export interface ChaosRun {
  readonly runId: string;
  /** What the flow tells the shop: its run. */
  readonly tag: string;
  readonly flow: ChaosFlowName;
  readonly onRedelivery: NonNullable<SubmitRequest['onRedelivery']>;
}

/** One bridge, some runners, what stands between them, and the site they test. */
export interface Fleet {
  readonly folder: string;
  readonly proxy: FaultProxy;
  readonly shop: Shop;
  readonly bridge: ChaosBridge;
  readonly runners: readonly ChaosRunner[];
  readonly runs: readonly ChaosRun[];
  /** Texts that must be nowhere, and who they are. */
  readonly secrets: Readonly<Record<string, string>>;
  submit(flow: ChaosFlowName, onRedelivery?: ChaosRun['onRedelivery']): Promise<ChaosRun>;
  /** The row once it is final. */
  finalRow(run: ChaosRun, limitMs?: number): Promise<RunView>;
  /** Ids of runs whose lease is offered or leased. */
  openLeases(): Promise<string[]>;
  stop(): Promise<void>;
}

export interface FleetOptions {
  runners?: number;
  concurrency?: number;
  /** Of a backend; null for the embedded default. */
  servers?: { databaseUrl: string; redisUrl: string } | null;
  /** The flow in the backend's tables that runs count to. */
  flowId?: string;
}

/** Leases that end in seconds: heartbeats every 1.5 s, a gap of 1.5 s. */
const ttlSeconds = 6;
/** A text that is typed into a password field and must be nowhere. */
const password = 'typed-password-8f3a1c';

const openLeases = `select run_id from qualinet.leases where state in ('offered', 'leased')`;

async function query(connectionString: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Starts everything in `folder`; runners are paired and not started. */
export async function startFleet(
  folder: string,
  { runners: count = 1, concurrency = 1, servers = null, flowId }: FleetOptions = {},
): Promise<Fleet> {
  const port = await freePort();
  const proxy = await startFaultProxy(() => port);
  const shop = await startShop();
  const bridge = await startChaosBridge(servers ?? { dataDir: join(folder, 'bridge') }, {
    PORT: String(port),
    PUBLIC_URL: proxy.url,
    WORKER_SECRET: workerSecret,
    QUALINET_LEASE_TTL_SECONDS: String(ttlSeconds),
    QUALINET_MAX_RUN_SECONDS: '60',
  });
  const runners: ChaosRunner[] = [];
  const secrets: Record<string, string> = { adminToken, workerSecret, password };
  for (let number = 1; number <= count; number += 1) {
    const place = join(folder, `runner-${number}`);
    await mkdir(join(place, 'tmp'), { recursive: true });
    await pairRunner(bridge.now(), join(place, 'home'), ['--name', `runner-${number}`]);
    const runner = await chaosRunner(place, { concurrency });
    runners.push(runner);
    const key = Buffer.from(runner.key, 'base64url');
    secrets[`key ${number} (base64url)`] = runner.key;
    secrets[`key ${number} (base64)`] = key.toString('base64').replace(/=+$/, '');
    secrets[`key ${number} (hex)`] = key.toString('hex');
    secrets[`key ${number} (raw)`] = key.toString('latin1');
  }
  const runs: ChaosRun[] = [];

  return {
    folder,
    proxy,
    shop,
    bridge,
    runners,
    runs,
    secrets,
    async submit(flow, onRedelivery = 'rerun') {
      const tag = `run-${runs.length + 1}`;
      const runId = await bridge.now().submit({
        ...chaosFlow(flow),
        name: tag,
        variables: { SHOP: shop.url, RUN: tag, PASSWORD: password },
        onRedelivery,
        ...(flowId === undefined ? {} : { flowId }),
      });
      const run = { runId, tag, flow, onRedelivery };
      runs.push(run);
      return run;
    },
    finalRow: (run, limitMs = 60_000) =>
      until(
        `${run.tag} (${run.flow}, ${run.onRedelivery}) has ended`,
        async () => {
          const row = await bridge
            .now()
            .read(run.runId)
            .catch(() => null);
          return row !== null && isFinal(row.status) ? row : null;
        },
        limitMs,
      ),
    async openLeases() {
      // The embedded database is read once its bridge is gone: it is one process's own.
      if (servers !== null) {
        const rows = await query(servers.databaseUrl, openLeases);
        return rows.map(({ run_id }) => String(run_id));
      }
      await bridge.stop();
      const { leases } = await storedRows(join(folder, 'bridge'));
      return leases
        .filter(({ state }) => state === 'offered' || state === 'leased')
        .map(({ run_id }) => run_id);
    },
    async stop() {
      await proxy.heal();
      await Promise.all(runners.map((runner) => runner.stop()));
      await bridge.stop();
      await proxy.close();
      await shop.close();
    },
  };
}
