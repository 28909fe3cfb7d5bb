import { randomUUID } from 'node:crypto';
import { backendDatabase } from './backend-database.ts';
import { type PlayedBackend, playBackend } from './played-backend.ts';
import { startRedis } from './redis-server.ts';
import { type QuickRunner, quickRunner, type ServersBridge, serversBridge } from './servers-bridge.ts';

/** A backend, one bridge beside it and one runner, on a Redis and a database of their own. */
export interface IntakeScene {
  readonly fixture: ServersBridge;
  readonly backend: PlayedBackend;
  readonly runner: QuickRunner;
  end(): Promise<void>;
}

export async function intakeScene(): Promise<IntakeScene> {
  const [redis, database] = await Promise.all([startRedis(), backendDatabase()]);
  const queue = `q${randomUUID()}`;
  const servers = { redisUrl: redis.url, databaseUrl: database.url };
  const fixture = await serversBridge({ ...servers, queues: [queue] });
  const backend = await playBackend({ ...servers, queue });
  const runner = await quickRunner(fixture);
  return {
    fixture,
    backend,
    runner,
    async end() {
      await backend.close();
      await fixture.end();
      await database.drop();
      await redis.remove();
    },
  };
}
