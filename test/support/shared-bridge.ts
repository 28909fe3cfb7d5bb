import { randomUUID } from 'node:crypto';
import { type Bridge, type BridgeDeps, startBridge } from '../../src/bridge/bridge.ts';
import { readBridgeConfig } from '../../src/bridge/config.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { Secret } from '../../src/lib/secret.ts';
import { clientFor, type SignedClient, testHost } from './signed-client.ts';

/** What all bridges on the same servers are given. */
export const sharedSecrets = {
  WORKER_SECRET: 'test-worker-secret-0123456789',
  QUALINET_ADMIN_TOKEN: 'test-operator-token-0123456789',
};
const workerSecret = new Secret(sharedSecrets.WORKER_SECRET);

/** A bridge in this process beside a backend's servers, on a free loopback port. The caller closes it. */
export async function sharedBridge(
  { databaseUrl, redisUrl }: { databaseUrl: string; redisUrl: string },
  { env = {}, ...deps }: { env?: Record<string, string> } & Partial<BridgeDeps> = {},
): Promise<Bridge> {
  const config = readBridgeConfig({
    PORT: '0',
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    ...sharedSecrets,
    ...env,
  });
  return startBridge(config, { clock: systemClock, log: silentLog, ...deps });
}

/** A runner of the operator's own, enrolled at one of these bridges. */
export async function enrolledRunner(
  bridge: Bridge,
  runnerId: string = randomUUID(),
): Promise<{ runnerId: string; client: SignedClient }> {
  await clientFor(bridge.url, workerSecret, { kind: 'enrol', runnerId }).call('enrol', {
    body: { host: testHost },
  });
  return {
    runnerId,
    client: clientFor(bridge.url, workerSecret, { kind: 'runner', runnerId, generation: 1 }),
  };
}
