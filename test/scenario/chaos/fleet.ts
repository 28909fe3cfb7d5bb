import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunView, SubmitRequest } from '../../../src/protocol/messages.ts';
import { isFinal } from '../../../src/protocol/run-result.ts';
import { freePort } from '../../support/server-programs.ts';
import { adminToken, pairRunner, workerSecret } from '../../support/system.ts';
import { until } from '../../support/until.ts';
import { type ChaosBridge, startChaosBridge } from './chaos-bridge.ts';
import { type ChaosFlowName, chaosFlow } from './chaos-flows.ts';
import { type ChaosRunner, chaosRunner } from './chaos-runner.ts';
import { type ChaosStores, embeddedStores, serverStores } from './chaos-stores.ts';
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
  readonly proxy: FaultProxy;
  readonly shop: Shop;
  readonly bridge: ChaosBridge;
  readonly stores: ChaosStores;
  readonly runners: readonly ChaosRunner[];
  readonly runs: readonly ChaosRun[];
  /** Texts that must be nowhere, by what they are. */
  readonly secrets: Readonly<Record<string, string>>;
  submit(flow: ChaosFlowName, onRedelivery?: ChaosRun['onRedelivery']): Promise<ChaosRun>;
  /** The row once it is final. */
  finalRow(run: ChaosRun, limitMs?: number): Promise<RunView>;
  /** Ends everything and deletes its folder; safe to call twice. */
  stop(): Promise<void>;
}

export interface FleetOptions {
  runners?: number;
  /** Runs at the same time in each runner. */
  concurrency?: number;
  stores?: 'embedded' | 'servers';
  ttlSeconds?: number;
}

/** What the folders of this process's fleets begin with: all their processes carry it in their environment. */
export function fleetFolders(): string {
  return join(tmpdir(), `qualinet-chaos-${process.pid}-`);
}

/** A text that is typed into a password field and must be nowhere. */
const password = 'typed-password-8f3a1c';

/**
 * Starts everything in a folder of its own; runners are paired and not started. Leases end in seconds: with 6 s, heartbeats
 * come every 1.5 s, and the gap is 1.5 s.
 */
export async function startFleet({
  runners: count = 1,
  concurrency = 1,
  stores: kind = 'embedded',
  ttlSeconds = 6,
}: FleetOptions = {}): Promise<Fleet> {
  const folder = await mkdtemp(fleetFolders());
  const port = await freePort();
  const proxy = await startFaultProxy(() => port);
  const shop = await startShop();
  const stores = kind === 'servers' ? await serverStores() : embeddedStores(folder);
  const bridge = await startChaosBridge(stores.place, {
    TMPDIR: folder,
    PORT: String(port),
    PUBLIC_URL: proxy.url,
    WORKER_SECRET: workerSecret,
    QUALINET_LEASE_TTL_SECONDS: String(ttlSeconds),
    QUALINET_MAX_RUN_SECONDS: '60',
  });
  const secrets: Record<string, string> = { adminToken, workerSecret, password };
  const runners: ChaosRunner[] = [];
  for (let number = 1; number <= count; number += 1) {
    const place = join(folder, `runner-${number}`);
    await mkdir(join(place, 'tmp'), { recursive: true });
    await pairRunner(bridge.now(), join(place, 'home'), ['--name', `runner-${number}`]);
    const runner = await chaosRunner(place, { concurrency });
    runners.push(runner);
    Object.assign(secrets, spellingsOf(`key of runner ${number}`, runner.key));
  }
  const runs: ChaosRun[] = [];
  let submitted = 0;

  return {
    proxy,
    shop,
    bridge,
    stores,
    runners,
    runs,
    secrets,
    async submit(flow, onRedelivery = 'rerun') {
      // Counted before it is sent: a run whose answer was lost has a tag of its own.
      submitted += 1;
      const tag = `run-${submitted}`;
      const runId = await bridge.now().submit({
        ...chaosFlow(flow),
        name: tag,
        variables: { SHOP: shop.url, RUN: tag, PASSWORD: password },
        onRedelivery,
        ...(stores.flowId === null ? {} : { flowId: stores.flowId }),
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
    async stop() {
      await proxy.heal();
      await Promise.all(runners.map((runner) => runner.stop()));
      await bridge.stop();
      await proxy.close();
      await shop.close();
      await stores.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The spellings in which a key could be told. */
function spellingsOf(what: string, base64url: string): Record<string, string> {
  const bytes = Buffer.from(base64url, 'base64url');
  return {
    [`${what} (base64url)`]: base64url,
    [`${what} (base64)`]: bytes.toString('base64').replace(/=+$/, ''),
    [`${what} (hex)`]: bytes.toString('hex'),
    [`${what} (raw)`]: bytes.toString('latin1'),
  };
}
