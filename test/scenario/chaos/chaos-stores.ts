import { join } from 'node:path';
import { backendDatabase, backendFlowId } from '../../support/backend-database.ts';
import { startPostgres } from '../../support/postgres-server.ts';
import { startRedis } from '../../support/redis-server.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import { storedRows } from '../../support/stored-rows.ts';
import { queryRows } from './query-rows.ts';

/** Where a bridge keeps its truth: its own folder, or the servers of a backend. */
export interface ChaosStores {
  readonly place: { dataDir: string } | { databaseUrl: string; redisUrl: string };
  /** The flow in the backend's tables that runs count to; null where there is none. */
  readonly flowId: string | null;
  /** Servers that may be killed; none for the embedded default. */
  readonly servers: Readonly<Partial<Record<'redis' | 'postgres', ServerProcess>>>;
  /** Ids of runs whose lease is offered or leased. Of the embedded default it is asked when the bridge has ended. */
  openLeases(): Promise<string[]>;
  remove(): Promise<void>;
}

/** The embedded default in `folder`. */
export function embeddedStores(folder: string): ChaosStores {
  const dataDir = join(folder, 'bridge');
  return {
    place: { dataDir },
    flowId: null,
    servers: {},
    async openLeases() {
      const { leases } = await storedRows(dataDir);
      return leases
        .filter(({ state }) => state === 'offered' || state === 'leased')
        .map(({ run_id }) => run_id);
    },
    remove: async () => {},
  };
}

/** Real servers of this fleet's own, which keep what they were told through a kill. */
export async function serverStores(): Promise<ChaosStores> {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres({ durable: true })]);
  const { url: databaseUrl } = await backendDatabase({ server: postgres.url });
  return {
    place: { databaseUrl, redisUrl: redis.url },
    flowId: backendFlowId,
    servers: { redis, postgres },
    async openLeases() {
      const rows = await queryRows(
        databaseUrl,
        `select run_id from qualinet.leases where state in ('offered', 'leased')`,
      );
      return rows.map(({ run_id }) => String(run_id));
    },
    async remove() {
      await Promise.all([redis.remove(), postgres.remove()]);
    },
  };
}
