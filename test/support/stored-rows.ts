import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';

/** What a stopped bridge has left in the database of its data folder. */
export interface StoredRows {
  runs: { id: string; status: string }[];
  leases: { run_id: string; state: string; fence: number }[];
}

/** Reads the rows of runs and leases. No bridge may be using the folder. */
export async function storedRows(dataDir: string): Promise<StoredRows> {
  const database = await PGlite.create(join(dataDir, 'database'));
  try {
    const runs = await database.query<StoredRows['runs'][number]>('select id, status from public.runs');
    const leases = await database.query<StoredRows['leases'][number]>(
      'select run_id, state, fence from qualinet.leases',
    );
    return { runs: runs.rows, leases: leases.rows };
  } finally {
    await database.close();
  }
}
