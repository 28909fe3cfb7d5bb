import { randomUUID } from 'node:crypto';
import { type Bridge, type BridgeDeps, startBridge } from '../../src/bridge/bridge.ts';
import { readBridgeConfig } from '../../src/bridge/config.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { Secret } from '../../src/lib/secret.ts';
import { clientFor, type SignedClient, testHost } from './signed-client.ts';
import { adminToken, workerSecret } from './system.ts';

/** What all bridges on the same servers are given. */
export const sharedSecrets = {
  WORKER_SECRET: workerSecret,
  QUALINET_ADMIN_TOKEN: adminToken,
};

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
  const secret = new Secret(workerSecret);
  await clientFor(bridge.url, secret, { kind: 'enrol', runnerId }).call('enrol', {
    body: { host: testHost },
  });
  return {
    runnerId,
    client: clientFor(bridge.url, secret, { kind: 'runner', runnerId, generation: 1 }),
  };
}
