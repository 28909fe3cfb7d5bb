import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type ServerProcess, serverProcess } from './server-process.ts';
import { findServerPrograms, freePort } from './server-programs.ts';

/** A real Redis of the suite's own, on loopback, as an operator should run it: AOF on, nothing evicted. */
export interface RedisServer extends ServerProcess {
  readonly url: string;
}

/** Starts one; `settings` are further `--name value` pairs. */
export async function startRedis(settings: readonly string[] = []): Promise<RedisServer> {
  return startRedisWith([
    ...['--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'],
    ...settings,
  ]);
}

/** Starts one with these settings and no others but where it listens and keeps its data. */
export async function startRedisWith(
  settings: readonly string[],
  password: string | null = null,
): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'qualinet-test-redis-'));
  const port = await freePort();
  const url = `redis://${password === null ? '' : `:${password}@`}127.0.0.1:${port}`;
  const server = await serverProcess({
    command: findServerPrograms()['redis-server'],
    folder,
    args: ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, ...settings],
    answers: () => answers(url),
  });
  return { ...server, url };
}

async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 1_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}
