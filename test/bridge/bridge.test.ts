import { chmod, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bridge, startBridge } from '../../src/bridge/bridge.ts';
import { readBridgeConfig } from '../../src/bridge/config.ts';
import { openDataFolder } from '../../src/bridge/embedded/data-folder.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { EnvironmentError } from '../../src/lib/errors.ts';
import { silentLog } from '../../src/lib/log.ts';
import type { RequestMessage } from '../../src/protocol/signing.ts';
import { dataFolderWithDatabase } from '../support/bridge-fixture.ts';
import { exchange, pairRunner, post, request, testCapabilities } from '../support/signed-client.ts';
import { tempFolder } from '../support/temp-folder.ts';

const folders: string[] = [];
const bridges: Bridge[] = [];

async function freshFolder(): Promise<string> {
  const folder = await dataFolderWithDatabase();
  folders.push(folder);
  return folder;
}

async function start(dataDir: string, env: Record<string, string> = {}): Promise<Bridge> {
  const config = readBridgeConfig({ PORT: '0', QUALINET_DATA_DIR: dataDir, ...env });
  const bridge = await startBridge(config, { clock: systemClock, log: silentLog });
  bridges.push(bridge);
  return bridge;
}

afterEach(async () => {
  for (const bridge of bridges.splice(0)) await bridge.close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

describe('a bridge', () => {
  it('keeps its secrets, its runners and its runs over a restart', async () => {
    const folder = await freshFolder();
    const first = await start(folder);
    const { port } = new URL(first.url);
    const { client, runnerId } = await pairRunner(first.url, first.adminToken);
    const { body } = await post(first.url, '/v1/runs', sample, first.adminToken);
    await first.close();

    const second = await start(folder, { PORT: port });
    expect(second.adminToken.reveal()).toBe(first.adminToken.reveal());
    expect(await client.call('runnerSelf')).toMatchObject({ runnerId });
    const { leases } = await client.call('pollLeases', {
      body: { slots: 1, waitMs: 0, capabilities: testCapabilities },
    });
    expect(leases).toMatchObject([{ runId: body['runId'] }]);
  });

  it('does not answer after a restart what was signed for the time before it', async () => {
    const folder = await freshFolder();
    const first = await start(folder);
    const { port } = new URL(first.url);
    const { client } = await pairRunner(first.url, first.adminToken);
    let caught: RequestMessage | null = null;
    const longAgo = Date.now() - 5_000;
    await client.send('runnerSelf', {
      nowMs: longAgo,
      alter: (message) => {
        caught = message;
        return message;
      },
    });
    await first.close();
    await start(folder, { PORT: port });
    if (caught === null) throw new Error('nothing was sent');
    expect(await exchange(caught, client.key)).toMatchObject({ status: 401, body: { code: 'replayed' } });
    expect(await client.call('runnerSelf')).toMatchObject({ draining: false });
  });

  it('keeps a data folder that was there as open as it was, and what it puts there for its user alone', async () => {
    const folder = await tempFolder();
    await chmod(folder, 0o755);
    const opened = await openDataFolder(folder);
    expect((await stat(folder)).mode & 0o777).toBe(0o755);
    expect((await stat(opened.databaseFolder)).mode & 0o777).toBe(0o700);
    await opened.release();
  });

  it('takes the result of a run that ended while the bridge was away', async () => {
    const folder = await freshFolder();
    const first = await start(folder);
    const { port } = new URL(first.url);
    const { client } = await pairRunner(first.url, first.adminToken);
    await post(first.url, '/v1/runs', sample, first.adminToken);
    const { leases } = await client.call('pollLeases', {
      body: { slots: 1, waitMs: 0, capabilities: testCapabilities },
    });
    const params = { leaseId: leases[0]?.leaseId ?? '' };
    await client.call('heartbeat', { params, body: { fence: 1, nodeId: null } });
    await first.close();
    await start(folder, { PORT: port });
    const result = { status: 'passed' as const, durationMs: 1, stepsResult: [] };
    expect(await client.call('postResult', { params, body: { fence: 1, result } })).toEqual({
      status: 'passed',
    });
  });

  it('tells commands on the same machine where it is, readable by its user alone, while it runs', async () => {
    const folder = await freshFolder();
    const bridge = await start(folder);
    const path = join(folder, 'bridge.json');
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
      url: bridge.url,
      adminToken: bridge.adminToken.reveal(),
      pid: process.pid,
    });
    for (const file of ['bridge.json', 'secrets.json']) {
      expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
    }
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    await bridge.close();
    expect((await readdir(folder)).sort()).toEqual(['database', 'secrets.json']);
  });

  it('refuses a data folder another bridge uses, and says which process that is', async () => {
    const folder = await freshFolder();
    const bridge = await start(folder);
    await expect(start(folder)).rejects.toThrow(
      expect.objectContaining({
        constructor: EnvironmentError,
        message: `the data folder is in use by process ${process.pid} (${folder})`,
      }),
    );
    expect((await request(bridge.url, 'GET', '/readyz')).status).toBe(200);
    await bridge.close();
    await start(folder);
  });

  it('refuses a port that is taken, names it, and leaves nothing behind', async () => {
    const folder = await freshFolder();
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    try {
      await expect(start(folder, { PORT: String(port) })).rejects.toThrow(
        expect.objectContaining({
          constructor: EnvironmentError,
          message: `the port ${port} on 127.0.0.1 is taken by another program`,
          hint: expect.stringContaining('PORT'),
        }),
      );
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
    expect(await readdir(folder)).not.toContain('lock');
    expect((await start(folder, { PORT: String(port) })).url).toBe(`http://127.0.0.1:${port}`);
  });

  it('refuses secrets other users can read', async () => {
    const folder = await freshFolder();
    await (await start(folder)).close();
    const path = join(folder, 'secrets.json');
    await chmod(path, 0o644);
    await expect(start(folder)).rejects.toThrow(EnvironmentError);
    expect(await readdir(folder)).not.toContain('lock');
  });

  it('does not have the secrets or keys of runners in its database', async () => {
    const folder = await freshFolder();
    const bridge = await start(folder);
    const { client } = await pairRunner(bridge.url, bridge.adminToken);
    await client.call('runnerSelf');
    await bridge.close();
    const { workerSecret } = JSON.parse(await readFile(join(folder, 'secrets.json'), 'utf8')) as {
      workerSecret: string;
    };
    for (const secret of [workerSecret, client.key.secret.reveal(), bridge.adminToken.reveal()]) {
      expect(await holds(join(folder, 'database'), secret)).toBe(false);
    }
    expect(await holds(join(folder, 'database'), 'test-host')).toBe(true);
  });

  it('answers health checks and publishes its table as OpenAPI', async () => {
    const { url } = await start(await freshFolder());
    expect((await request(url, 'GET', '/healthz')).body).toEqual({ text: 'ok\n' });
    expect((await request(url, 'GET', '/readyz')).body).toEqual({
      text: 'ready\npostgresql: ok\n',
    });
    const { body } = await request(url, 'GET', '/openapi.json');
    expect(body).toMatchObject({ openapi: '3.1.0', servers: [{ url }] });
  });
});

const sample = {
  nodes: [
    { id: 's', type: 'start' },
    { id: 'a', type: 'navigate', data: { url: 'https://example.test/' } },
  ],
  edges: [{ source: 's', target: 'a' }],
};

async function holds(folder: string, text: string): Promise<boolean> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    if ((await readFile(join(entry.parentPath, entry.name))).includes(text)) return true;
  }
  return false;
}
