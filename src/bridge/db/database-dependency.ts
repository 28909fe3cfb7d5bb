import { sql } from 'drizzle-orm';
import type { Dependency } from '../stores.ts';
import { type Database, rowsOf } from './database.ts';

/** PostgreSQL as readiness sees it: a statement is answered, and others may write. */
export function databaseDependency(db: Database): Dependency {
  return {
    name: 'postgresql',
    async check() {
      const [row] = await rowsOf<{ readOnly: string }>(
        db,
        sql`select current_setting('transaction_read_only') as "readOnly"`,
      );
      if (row?.readOnly === 'on') throw new Error('the database may only be read for now');
    },
  };
}
