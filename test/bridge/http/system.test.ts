import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { backendDatabase } from '../../support/backend-database.ts';
import { type BridgeFixture, bridgeFixture } from '../../support/bridge-fixture.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { request } from '../../support/signed-client.ts';
import { until } from '../../support/until.ts';

describe('/readyz of a bridge on shared servers', () => {
  let redis: RedisServer;
  let database: Awaited<ReturnType<typeof backendDatabase>>;
  let fixture: BridgeFixture;
  beforeAll(async () => {
    [redis, database] = await Promise.all([startRedis(), backendDatabase()]);
    fixture = await bridgeFixture({
      env: {
        DATABASE_URL: database.url,
        REDIS_URL: redis.url,
        WORKER_SECRET: 'a worker secret of the test',
        QUALINET_ADMIN_TOKEN: 'a-token-of-the-test-0123',
      },
    });
  });
  afterAll(async () => {
    await fixture?.end();
    await redis?.remove();
    await database?.drop();
  });

  const ready = () => request(fixture.bridge.url, 'GET', '/readyz');
  const redisProblem = async () => {
    const { status, body } = await ready();
    const errors = (body['errors'] ?? []) as { path: string; message: string }[];
    return status === 503 ? (errors.find(({ path }) => path === 'redis')?.message ?? null) : null;
  };

  it('names everything that works', async () => {
    const text = await until('all is ready', async () => {
      const { status, body } = await ready();
      return status === 200 ? String(body['text']) : null;
    });
    expect(text).toMatch(/^ready\npostgresql: ok\nredis: ok\n/);
  });

  it('names Redis when it was killed and when it hangs, without its address, and is ready when it is back', async () => {
    await redis.kill();
    const killed = await until('Redis is missed', redisProblem);
    const { port } = new URL(redis.url);
    expect(killed).not.toMatch(new RegExp(`127\\.0\\.0\\.1|${port}`));
    expect((await ready()).headers.get('retry-after')).toBe('5');
    expect((await request(fixture.bridge.url, 'GET', '/healthz')).status).toBe(200);
    await redis.start();
    await until('Redis is back', async () => (await ready()).status === 200);
    redis.freeze();
    const askedAtMs = performance.now();
    expect(await until('Redis is missed', redisProblem)).not.toBeNull();
    expect(performance.now() - askedAtMs).toBeLessThan(6_000);
    redis.thaw();
    await until('Redis is back', async () => (await ready()).status === 200, 30_000);
  });
});

describe('/readyz of a bridge that closes', () => {
  let fixture: BridgeFixture | null = null;
  afterEach(() => fixture?.end());

  it('is 503 while answers under way are finished', async () => {
    fixture = await bridgeFixture();
    const { url } = fixture.bridge;
    const { port } = new URL(url);
    // A request whose body never comes is under way until this test lets go of it.
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => {});
    socket.write(
      'POST /v1/codes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n',
    );
    expect((await request(url, 'GET', '/readyz')).status).toBe(200);
    const closing = fixture.bridge.close();
    const { status, body } = await request(url, 'GET', '/readyz');
    socket.destroy();
    await closing;
    expect([status, body['detail']]).toEqual([503, 'the bridge is closing']);
  });
});
