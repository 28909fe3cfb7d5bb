import { sql } from 'drizzle-orm';
import { integer, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';

/**
 * The backend's table of runs. Where there is a backend it made this table itself and it is never migrated from here;
 * only the embedded default makes it (embedded-migrations/). Source: the original specification, section 3.
 */
export const runs = pgTable('runs', {
  id: uuid('id').default(sql`gen_random_uuid()`).primaryKey(),
  flowId: uuid('flow_id').notNull(),
  snapshotNodes: jsonb('snapshot_nodes').$type<Record<string, unknown>[]>().notNull(),
  snapshotEdges: jsonb('snapshot_edges').$type<Record<string, unknown>[]>().notNull(),
  status: text('status').default('queued'),
  environment: text('environment'),
  durationMs: integer('duration_ms'),
  stepsResult: jsonb('steps_result').$type<unknown[]>(),
  executedAt: timestamp('executed_at').defaultNow(),
});
