import { databaseNow } from '../../src/bridge/db/database.ts';
import { blobTable } from '../../src/bridge/distributed/blob-table.ts';
import { migrateDatabase } from '../../src/bridge/distributed/migrate-database.ts';
import { openPool } from '../../src/bridge/distributed/pool.ts';
import { connectRedis } from '../../src/bridge/distributed/redis.ts';
import { redisEvents } from '../../src/bridge/distributed/redis-events.ts';
import { redisHints } from '../../src/bridge/distributed/redis-hints.ts';
import { silentLog } from '../../src/lib/log.ts';
import { Secret } from '../../src/lib/secret.ts';
import { backendDatabase, backendFlowId } from '../support/backend-database.ts';
import { startRedis } from '../support/redis-server.ts';
import { openEmbeddedStores } from './open-embedded-stores.ts';
import { storesContract } from './stores-contract.ts';

storesContract('the embedded stores', openEmbeddedStores);

storesContract('the stores that bridges share', async () => {
  const [server, database] = await Promise.all([startRedis(), backendDatabase()]);
  const databaseUrl = new Secret(database.url);
  await migrateDatabase(databaseUrl, { log: silentLog });
  const pool = await openPool(databaseUrl, { log: silentLog });
  const redis = await connectRedis(new Secret(server.url), { log: silentLog });
  return {
    db: pool.db,
    hints: await redisHints(redis, silentLog),
    events: redisEvents(redis.commands),
    blobs: blobTable({ db: pool.db, now: databaseNow }),
    flowId: backendFlowId,
    async close() {
      await redis.close();
      await pool.close();
      await database.drop();
      await server.remove();
    },
  };
});
