import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startBackend } from '../support/backend.ts';
import { backendDatabase, backendFlowId } from '../support/backend-database.ts';
import { chain } from '../support/chain.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { startSimulatedRunner } from '../support/simulated-runner.ts';
import { copyBridgeProgram, startSharedBridge, workerSecret } from '../support/system.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

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

  it('need nothing but their bundle to take a job to its end, as in their container image', async () => {
    const database = await backendDatabase();
    onTestFinished(() => database.drop());
    const servers = { databaseUrl: database.url, redisUrl: redis.url };
    const program = await copyBridgeProgram(await tempFolder());
    const bridge = await startSharedBridge(servers, {}, program);
    onTestFinished(() => bridge.program.stop());
    const backend = await startBackend(servers);
    onTestFinished(() => backend.close());
    const runner = await startSimulatedRunner(bridge.url, workerSecret);
    onTestFinished(() => runner.stop());
    const runId = await backend.insertRun(
      chain({ id: 'open', type: 'navigate', data: { url: 'https://example.test/' } }),
    );
    const messages = await backend.subscribe(runId);
    await backend.addJob(runId);
    expect(await backend.jobEnd(runId)).toMatchObject({ event: 'completed' });
    expect((await backend.row(runId))?.status).toBe('passed');
    await until('the last message came', () => messages.at(-1)?.type === 'run_complete');
  });
});
