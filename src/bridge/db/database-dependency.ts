import { sql } from 'drizzle-orm';
import type { Dependency } from '../stores.ts';
import type { Database } from './database.ts';

/** PostgreSQL as readiness sees it: a statement is answered. */
export function databaseDependency(db: Database): Dependency {
  return {
    name: 'postgresql',
    async check() {
      await db.execute(sql`select 1`);
    },
  };
}
