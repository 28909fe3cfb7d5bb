import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChildProgram, runToEnd, startProgram } from '../../src/demo/child-program.ts';
import { type DemoSite, startDemoSite } from '../../src/demo/demo-site.ts';
import { backendDatabase } from '../support/backend-database.ts';
import { chain } from '../support/chain.ts';
import { composeFile } from '../support/compose-file.ts';
import { type RedisServer, startRedisWith } from '../support/redis-server.ts';
import { freePort } from '../support/server-programs.ts';
import {
  adminToken,
  type BridgeProcess,
  bridgeProgram,
  runnerEnv,
  runnerProgram,
  startSharedBridge,
} from '../support/system.ts';
import { suiteFolder } from '../support/temp-folder.ts';

// What compose.yaml would start, started without an engine: its commands, its environments, its SQL, its health checks, on
// other ports. What only an engine can show (images, networks, volumes, limits) is not shown here.

const root = join(import.meta.dirname, '../..');
const secret = (): string => randomBytes(32).toString('hex');

describe('what compose.yaml starts', () => {
  const folder = suiteFolder();
  let compose: ReturnType<typeof composeFile>;
  let bridgePort: number;
  let redis: RedisServer;
  let database: Awaited<ReturnType<typeof backendDatabase>>;
  let bridge: BridgeProcess;
  let runner: ChildProgram;
  let site: DemoSite;

  beforeAll(async () => {
    bridgePort = await freePort();
    compose = composeFile({
      WORKER_SECRET: secret(),
      QUALINET_ADMIN_TOKEN: adminToken,
      POSTGRES_PASSWORD: secret(),
      REDIS_PASSWORD: secret(),
      PUBLIC_URL: `http://127.0.0.1:${bridgePort}`,
    });
    const { services } = compose;
    redis = await startRedisWith(
      services.redis.command.slice(1),
      services.redis.environment['REDISCLI_AUTH'] ?? '',
    );
    const initial =
      services.postgres.volumes.find((volume) => volume.includes('initdb.d'))?.split(':')[0] ?? '';
    database = await backendDatabase({ tables: await readFile(join(root, initial), 'utf8') });
    site = await startDemoSite();

    const { environment } = services.bridge;
    const redisUrl = new URL(environment['REDIS_URL'] ?? '');
    redisUrl.host = new URL(redis.url).host;
    bridge = await startSharedBridge(
      { databaseUrl: database.url, redisUrl: redisUrl.href },
      { ...environment, DATABASE_URL: database.url, REDIS_URL: redisUrl.href, PORT: String(bridgePort) },
    );
    // Its container has that port for itself; this machine may not.
    const command = services.runner.command.map((word) => (word === '4871' ? '0' : word));
    runner = startProgram(runnerProgram, command, {
      env: { ...runnerEnv(join(folder(), 'runner')), ...services.runner.environment },
    });
  });
  afterAll(async () => {
    await runner?.stop();
    await bridge?.program.stop();
    await site?.close();
    await database?.drop();
    await redis?.remove();
  });

  it('is healthy by its own checks', async () => {
    const { environment, healthcheck } = compose.services.redis;
    const [, ping = ''] = healthcheck?.test ?? [];
    const onPort = ping.replace('redis-cli', `redis-cli -p ${new URL(redis.url).port}`);
    await expect(shell(onPort, environment)).resolves.toBeDefined();
    await expect(shell(onPort, { REDISCLI_AUTH: 'wrong' })).rejects.toThrow();

    const [, command = '', ...args] = compose.services.bridge.healthcheck?.test ?? [];
    const check = (port: number) =>
      promisify(execFile)(
        command,
        args.map((arg) => arg.replace('4870', String(port))),
      );
    await expect(check(bridgePort)).resolves.toBeDefined();
    await expect(check(await freePort())).rejects.toThrow();
  });

  it('gives the bridge nothing to warn about', () => {
    expect(bridge.lines.filter((line) => /"level":"(warn|error)"/.test(line))).toEqual([]);
    expect(bridge.lines.length).toBeGreaterThan(0);
  });

  it('brings a flow, submitted as the documentation says, through the runner to the row of the backend', async () => {
    const documented = /qualinet-bridge (submit .+) < flow\.json/.exec(
      await readFile(join(root, 'docs/operations.md'), 'utf8'),
    );
    const [, flowId] = /--flow-id (\S+)/.exec(documented?.[1] ?? '') ?? [];
    const path = join(folder(), 'flow.json');
    await writeFile(path, JSON.stringify(chain({ id: 'open', type: 'navigate', data: { url: site.url } })));
    const command = `'${process.execPath}' '${bridgeProgram}' ${documented?.[1]} --json < '${path}'`;
    const { runId } = JSON.parse((await shell(command, bridge.env)).stdout) as { runId: string };
    const client = new Client({ connectionString: database.url });
    await client.connect();
    try {
      const { rows } = await client.query('select status, flow_id from runs where id = $1', [runId]);
      expect(rows).toEqual([{ status: 'passed', flow_id: flowId }]);
    } finally {
      await client.end();
    }
    const { runners } = await bridge.operator<{ runners: object[] }>('GET', '/v1/runners');
    expect(runners).toMatchObject([{ state: 'approved', workspace: 'default' }]);
  });

  it('makes a pairing code inside the container of the bridge, without more words', async () => {
    const said = await runToEnd(bridgeProgram, ['code'], { env: bridge.env });
    expect(said).toContain(`--api http://127.0.0.1:${bridgePort}`);
  });
});

function shell(command: string, env: Readonly<Record<string, string>>) {
  return promisify(execFile)('sh', ['-c', command], { env: { PATH: process.env['PATH'] ?? '', ...env } });
}
