import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { backendDatabase, backendFlowId } from '../support/backend-database.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { startSharedBridge } from '../support/system.ts';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis?.remove());

describe('bridge processes beside a backend', () => {
  it('start at the same time on a database that has none of their tables, and share what they are given', async () => {
    const database = await backendDatabase();
    onTestFinished(() => database.drop());
    const servers = { databaseUrl: database.url, redisUrl: redis.url };
    const bridges = await Promise.all([startSharedBridge(servers), startSharedBridge(servers)]);
    onTestFinished(async () => {
      await Promise.all(bridges.map(({ program }) => program.stop()));
    });
    const [one, other] = bridges;
    const runId = await one.submit({
      flowId: backendFlowId,
      nodes: [
        { id: 's', type: 'start' },
        { id: 'open', type: 'navigate', data: { url: 'https://example.test/' } },
      ],
      edges: [{ source: 's', target: 'open' }],
    });
    expect(await other.read(runId)).toMatchObject({ runId, status: 'queued' });
    await Promise.all(bridges.map(({ program }) => program.stop()));
    expect(bridges.map(({ program }) => program.process.exitCode)).toEqual([0, 0]);
  });
});
