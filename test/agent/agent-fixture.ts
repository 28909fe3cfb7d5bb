import { onTestFinished } from 'vitest';
import { type BridgeClient, createBridgeClient } from '../../src/agent/bridge-client.ts';
import type { Credentials } from '../../src/agent/credentials.ts';
import { createIdentity, type Identity } from '../../src/agent/identity.ts';
import { createTransport, type Transport } from '../../src/agent/transport.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import type { Log } from '../../src/lib/log.ts';
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
  identity: Identity;
  saved: Credentials[];
  log: Log & { lines: string[] };
  clock: Clock;
  random: () => number;
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
  const transport = createTransport({ httpProxy: '', httpsProxy: '', noProxy: '' });
  const log = keptLog();
  const saved: Credentials[] = [];
  const identity = createIdentity(bridge.credentials(), async (credentials) => void saved.push(credentials));
  const client = createBridgeClient({
    apiBaseUrl: bridge.url,
    keyFor: identity.keyFor,
    transport,
    clock: usedClock,
    log,
    version: '1.2.3',
  });
  onTestFinished(async () => {
    await transport.close();
    await bridge.close();
  });
  return { bridge, client, transport, identity, saved, log, clock: usedClock, random };
}
