import { onTestFinished } from 'vitest';
import { type BridgeClient, createBridgeClient } from '../../src/agent/client/bridge-client.ts';
import { openStorage, type Storage } from '../../src/agent/client/storage.ts';
import { createTransport, type Transport } from '../../src/agent/client/transport.ts';
import type { Credentials } from '../../src/agent/credentials/credentials.ts';
import { createIdentity, type Identity } from '../../src/agent/credentials/identity.ts';
import { createPulse, type Pulse } from '../../src/agent/health/pulse.ts';
import type { MachineRules } from '../../src/agent/lease/admit-run.ts';
import type { ExecuteFlow } from '../../src/agent/lease/run-lease.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import type { Log } from '../../src/lib/log.ts';
import type { RunResult } from '../../src/protocol/run-result.ts';
import { FakeBridge } from '../support/fake-bridge.ts';

/** A log that keeps its lines. */
export function keptLog(): Log & { lines: string[] } {
  const lines: string[] = [];
  const at = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** A runner of a fake bridge, on a real connection; both end with the test. */
export interface Fixture {
  bridge: FakeBridge;
  client: BridgeClient;
  transport: Transport;
  storage: Storage;
  rules: MachineRules;
  identity: Identity;
  saved: Credentials[];
  log: Log & { lines: string[] };
  clock: Clock;
  random: () => number;
  pulse: Pulse;
}

export async function fixture<C extends Clock = Clock>({
  clock,
  random = () => 0,
}: {
  clock?: C;
  random?: () => number;
} = {}): Promise<Fixture & { clock: C }> {
  const bridge = await FakeBridge.start();
  const usedClock = (clock ?? systemClock) as C;
  if (clock !== undefined) bridge.nowMs = () => usedClock.nowMs();
  const proxy = { httpProxy: '', httpsProxy: '', noProxy: '' };
  const transport = createTransport(proxy);
  const storage = openStorage({
    apiBaseUrl: bridge.url,
    transport,
    proxy,
    rules: { profile: 'lan', allowHosts: [] },
  });
  const log = keptLog();
  const saved: Credentials[] = [];
  const identity = createIdentity(bridge.credentials(), async (credentials) => void saved.push(credentials));
  const client = createBridgeClient({
    apiBaseUrl: bridge.url,
    keys: identity,
    transport,
    clock: usedClock,
    log,
    version: '1.2.3',
  });
  onTestFinished(async () => {
    await storage.close();
    await transport.close();
    await bridge.close();
  });
  const rules: MachineRules = { policy: null, whyNoRun: () => null };
  const pulse = createPulse(usedClock);
  return { bridge, client, transport, storage, rules, identity, saved, log, clock: usedClock, random, pulse };
}

/** Resolves when `condition` holds, looked at in every turn of the event loop; for conditions no event tells of. */
export async function untilTrue(condition: () => boolean): Promise<void> {
  const endsAt = performance.now() + 8_000;
  while (!condition()) {
    if (performance.now() > endsAt) throw new Error(`this did not come true: ${condition}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The engine in tests: does what `act` does, tells its events, and ends as an aborted engine would. */
export function fakeEngine(
  act: (
    run: Parameters<ExecuteFlow>[0],
    hooks: Parameters<ExecuteFlow>[1],
  ) => Promise<Partial<RunResult> | undefined> = async () => undefined,
): ExecuteFlow {
  return async (run, hooks) => {
    await hooks.mayAct;
    const steps = run.steps.map(({ nodeId, type }) => ({
      nodeId,
      type,
      status: 'passed' as const,
      durationMs: 1,
    }));
    const ended = await act(run, hooks);
    if (hooks.signal.aborted) return { status: 'cancelled', durationMs: 1, stepsResult: [] };
    for (const { nodeId } of steps) {
      hooks.onEvent({ type: 'step_start', nodeId });
      hooks.onEvent({ type: 'step_complete', nodeId, status: 'passed', durationMs: 1 });
    }
    return { status: 'passed', durationMs: 5, stepsResult: steps, ...ended };
  };
}

/** Resolves when `signal` is aborted: a step that goes on until it is stopped. */
export function untilAborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
