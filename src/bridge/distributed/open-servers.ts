import type { Clock } from '../../lib/clock.ts';
import { EnvironmentError } from '../../lib/errors.ts';
import type { BridgeConfig, ServersConfig } from '../config.ts';
import { databaseNow } from '../db/database.ts';
import { databaseDependency } from '../db/database-dependency.ts';
import type { Stores } from '../stores.ts';
import { blobTable } from './blob-table.ts';
import { checkRedis } from './check-redis.ts';
import { lateUpdateTable } from './late-update-table.ts';
import { migrateDatabase } from './migrate-database.ts';
import { openPool } from './pool.ts';
import type { ReachDeps } from './reach-server.ts';
import { connectRedis } from './redis.ts';
import { redisDependency } from './redis-dependency.ts';
import { redisEvents } from './redis-events.ts';
import { redisHints } from './redis-hints.ts';
import { redisNonces } from './redis-nonces.ts';
import { requireRunsTable } from './runs-columns.ts';

/**
 * Everything on the PostgreSQL and the Redis of the backend, which any number of bridges share. Throws EnvironmentError
 * or ServerUnavailableError when one of them cannot be used or reached, CancelledError when `signal` ends the start; nothing is left open then.
 */
export async function openServers(
  { databaseUrl, redisUrl }: ServersConfig,
  {
    workerSecret,
    previousWorkerSecrets,
    adminToken,
  }: Pick<BridgeConfig, 'workerSecret' | 'previousWorkerSecrets' | 'adminToken'>,
  { clock, ...reach }: ReachDeps & { clock: Clock },
): Promise<Stores> {
  if (workerSecret === null || adminToken === null) {
    throw new EnvironmentError('bridges on shared servers need WORKER_SECRET and QUALINET_ADMIN_TOKEN', {
      hint: 'Set both, to the same values for all bridges.',
    });
  }
  const { log } = reach;
  const undo: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of undo.reverse().splice(0)) await step();
  };
  try {
    const pool = await openPool(databaseUrl, reach);
    undo.push(() => pool.close());
    await migrateDatabase(databaseUrl, reach);
    await requireRunsTable(pool.db);
    const redis = await connectRedis(redisUrl, reach);
    undo.push(() => redis.close());
    await checkRedis(redis.commands, log);
    const hints = await redisHints(redis, log);
    const nowMs = (): number => clock.nowMs();
    return {
      db: pool.db,
      now: databaseNow,
      hints,
      events: { ...redisEvents(redis.commands), late: lateUpdateTable(pool.db) },
      nonces: redisNonces({ redis: redis.commands, nowMs, log }),
      blobs: blobTable({ db: pool.db, now: databaseNow }),
      workerSecrets: [workerSecret, ...previousWorkerSecrets],
      adminToken,
      autoApprove: false,
      place: `PostgreSQL ${pool.place}, Redis ${redis.place}`,
      dependencies: [databaseDependency(pool.db), redisDependency(redis)],
      announce: async () => {},
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
