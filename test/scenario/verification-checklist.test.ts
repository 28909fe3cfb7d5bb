import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findRedisUrl } from '../../src/agent/client/redis-url.ts';
import { credentialsPath } from '../../src/agent/credentials/credentials.ts';
import { startProgram } from '../../src/demo/child-program.ts';
import { newExchangeKeys, unwrapKey } from '../../src/protocol/keys.ts';
import { signRequest } from '../../src/protocol/signing.ts';
import { startBackend } from '../support/backend.ts';
import { backendDatabase } from '../support/backend-database.ts';
import { bridgeFixture } from '../support/bridge-fixture.ts';
import { chain } from '../support/chain.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { playBackend } from '../support/played-backend.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { quickRunner, serversBridge } from '../support/servers-bridge.ts';
import { exchange, pairRunner as pairClient, signedClient } from '../support/signed-client.ts';
import { startSimulatedRunner } from '../support/simulated-runner.ts';
import {
  type BridgeProcess,
  pairRunner,
  runnerEnv,
  runnerProgram,
  startSharedBridge,
  workerSecret,
} from '../support/system.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

// The verification checklist of the original specification, 8.2.6, line by line, as it reads since runners pull over HTTPS.

const redisPassword = 'a-redis-password-nobody-outside-may-see';
let redis: RedisServer;
let database: Awaited<ReturnType<typeof backendDatabase>>;
beforeAll(async () => {
  [redis, database] = await Promise.all([startRedis(), backendDatabase()]);
});
afterAll(async () => {
  await database?.drop();
  await redis?.remove();
});

async function bridgeBesideBackend(more: Record<string, string> = {}): Promise<BridgeProcess> {
  const servers = { databaseUrl: database.url, redisUrl: redis.url };
  const bridge = await startSharedBridge(servers, more);
  onTestFinished(() => bridge.program.stop());
  return bridge;
}

describe('1. self-hosted runner.json contains no redisUrl', () => {
  it('after pairing with a bridge that has one: neither the file nor anything else in the home', async () => {
    const bridge = await bridgeBesideBackend({ QUALINET_MANAGED_REDIS_URL: redis.url });
    const home = await tempFolder();
    await pairRunner(bridge, home);
    const json: unknown = JSON.parse(await readFile(credentialsPath(home), 'utf8'));
    expect(findRedisUrl(json)).toBeNull();
    const entries = await readdir(home, { recursive: true, withFileTypes: true });
    for (const entry of entries.filter((file) => file.isFile())) {
      const text = await readFile(join(entry.parentPath, entry.name), 'utf8');
      expect(text, entry.name).not.toMatch(/rediss?:|redis_?url/i);
      expect(text).not.toContain(new URL(redis.url).host);
    }
  });
});

describe('2. a self-hosted runner', () => {
  it('starts without any Redis, and looks at no REDIS_URL of its environment', async () => {
    const bridge = await bridgeBesideBackend();
    const home = await tempFolder();
    await pairRunner(bridge, home);
    for (const env of [
      {},
      { REDIS_URL: 'redis://127.0.0.1:9', QUALINET_MANAGED_REDIS_URL: 'redis://127.0.0.1:9' },
    ]) {
      const lines: string[] = [];
      const runner = startProgram(runnerProgram, ['start'], {
        env: { ...runnerEnv(home), ...env },
        onStderr: (line) => lines.push(line),
      });
      onTestFinished(() => runner.stop());
      await until('it takes runs', () => lines.some((line) => line.includes('waiting for runs')));
      await runner.stop();
      expect(await runner.ended).toBe(0);
      expect(lines.join('\n')).not.toMatch(/redis/i);
    }
  });

  it('refuses credentials that hold one, however it is spelt, and repeats nothing of it', async () => {
    const bridge = await bridgeBesideBackend();
    const home = await tempFolder();
    await pairRunner(bridge, home);
    const path = credentialsPath(home);
    const json = JSON.parse(await readFile(path, 'utf8')) as object;
    for (const name of ['redisUrl', 'redis_url', 'REDIS-URL', 'managedRedisUrl', 'redisUri', 'cache']) {
      await writeFile(
        path,
        JSON.stringify({ ...json, [name]: `redis://default:${redisPassword}@redis:6379` }),
      );
      const runner = startProgram(runnerProgram, ['start'], { env: runnerEnv(home) });
      expect(await runner.ended).toBe(78);
      expect(runner.said()).toContain(`holds a Redis address (${name}); a runner must not have one`);
      expect(runner.said()).not.toContain(redisPassword);
    }
  });
});

describe('3. the managed bridge', () => {
  it('prefers QUALINET_MANAGED_REDIS_URL to REDIS_URL and connects: of two servers only that one is used', async () => {
    const managed = await startRedis();
    onTestFinished(() => managed.remove());
    const own = await backendDatabase();
    onTestFinished(() => own.drop());
    const servers = { databaseUrl: own.url, redisUrl: redis.url };
    const before = await clientsOf(redis.url);
    const bridge = await startSharedBridge(servers, { QUALINET_MANAGED_REDIS_URL: managed.url });
    onTestFinished(() => bridge.program.stop());
    const backend = await startBackend({ databaseUrl: own.url, redisUrl: managed.url });
    onTestFinished(() => backend.close());
    const runner = await startSimulatedRunner(bridge.url, workerSecret);
    onTestFinished(() => runner.stop());
    const runId = await backend.insertRun(
      chain({ id: 'open', type: 'navigate', data: { url: 'https://example.test/' } }),
    );
    await backend.addJob(runId);
    expect(await backend.jobEnd(runId)).toMatchObject({ event: 'completed' });
    expect(await clientsOf(redis.url)).toBe(before);
    expect(await clientsOf(managed.url)).toBeGreaterThan(before);
  });
});

describe('4. rotation', () => {
  it('ends with the old key refused and the new one taken', async () => {
    const clock = new ManualClock();
    const { bridge, end } = await bridgeFixture({ clock, timing: { sweepMs: Number.MAX_SAFE_INTEGER } });
    onTestFinished(end);
    const nowMs = (): number => clock.nowMs();
    const { client: old } = await pairClient(bridge.url, bridge.adminToken, { nowMs });
    const keys = newExchangeKeys();
    const { keyid, wrappedKey } = await old.call('rotateCredentials', {
      body: { publicKey: keys.publicKey },
    });
    const secret = unwrapKey(wrappedKey, keys.privateKey, keyid);
    const renewed = signedClient(bridge.url, { keyid, secret }, { nowMs });
    // The overlap: both work until the new one was used for a while.
    expect((await old.send('runnerSelf')).status).toBe(200);
    expect((await renewed.send('runnerSelf')).status).toBe(200);
    await clock.advance(61_000);
    expect(await old.send('runnerSelf')).toMatchObject({
      status: 401,
      isSigned: true,
      body: { code: 'credential_expired' },
    });
    expect((await renewed.send('runnerSelf')).status).toBe(200);
  });
});

describe('5. a duplicate or replayed event', () => {
  it('makes no duplicate durable outcome: no second message, status, job end or row', async () => {
    const queue = 'checklist';
    const own = await backendDatabase();
    onTestFinished(() => own.drop());
    const servers = { databaseUrl: own.url, redisUrl: redis.url };
    const bridge = await serversBridge({ ...servers, queues: [queue] });
    onTestFinished(bridge.end);
    const backend = await playBackend({ ...servers, queue });
    onTestFinished(() => backend.close());
    const runner = await quickRunner(bridge);
    const { runId, job } = await backend.start();
    const messages = await backend.listen(runId);
    const lease = await runner.take();
    const events = [
      { type: 'step_start' as const, nodeId: 'open' },
      { type: 'step_complete' as const, nodeId: 'open', status: 'passed' as const, durationMs: 5 },
    ];
    // The same events again, and again in a batch that overlaps.
    await runner.events(lease, 1, events);
    await runner.events(lease, 1, events);
    await runner.events(lease, 2, [...events.slice(1), { type: 'step_start', nodeId: 'buy' }]);

    // The result again, and the very bytes of the request again, as somebody who recorded it would send them.
    await runner.finish(lease);
    await runner.finish(lease);
    const message = {
      method: 'POST',
      url: `${bridge.bridge.url}/v1/leases/${lease.leaseId}/result`,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(
        JSON.stringify({ fence: lease.fence, result: { status: 'failed', durationMs: 1, stepsResult: [] } }),
      ),
    };
    const signed = {
      ...message,
      headers: { ...message.headers, ...signRequest(message, runner.client.key, Date.now()) },
    };
    await exchange(signed, runner.client.key);
    expect(await exchange(signed, runner.client.key)).toMatchObject({
      status: 401,
      body: { code: 'replayed' },
    });

    expect(await backend.end(job)).toMatchObject({ event: 'completed' });
    await until('the last message came', () => messages.at(-1)?.type === 'run_complete');
    expect(messages.map(({ type, nodeId }) => `${type} ${nodeId ?? ''}`.trim())).toEqual([
      ...['run_start', 'step_start open', 'step_complete open', 'step_start buy'],
      'run_complete',
    ]);
    expect(await backend.row(runId)).toMatchObject({ status: 'passed', duration_ms: 1_200 });
    expect(await backend.query('select count(*)::int as rows from runs')).toEqual([{ rows: 1 }]);
    expect(await backend.query('select count(*)::int as leases from qualinet.leases')).toEqual([
      { leases: 1 },
    ]);
    expect(await backend.queue.getCompletedCount()).toBe(1);
    expect(await backend.queue.getFailedCount()).toBe(0);
  });
});

/** Connections that a Redis has, this one's not counted. */
async function clientsOf(url: string): Promise<number> {
  const client = new Redis(url);
  try {
    const list = (await client.client('LIST')) as string;
    return list.trim().split('\n').length - 1;
  } finally {
    client.disconnect();
  }
}
