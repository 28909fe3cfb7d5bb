import { sql } from 'drizzle-orm';
import { rowsOf } from '../db/database.ts';
import { secretMark } from '../worker-secrets.ts';
import type { KeyDeps } from './runner-keys.ts';

/**
 * Ids of runners that a bridge without its previous secret would not know any more: the key that each used last (the newest
 * one, where none was used) was not of the current secret. Empty while no secret is being replaced.
 */
export async function runnersOnPreviousSecret({
  db,
  now,
  workerSecrets,
}: Pick<KeyDeps, 'db' | 'now' | 'workerSecrets'>): Promise<string[]> {
  const [current, ...previous] = workerSecrets;
  if (previous.length === 0) return [];
  const rows = await rowsOf<{ runnerId: string }>(
    db,
    sql`
      select runner.id as "runnerId" from qualinet.runners runner
      join lateral (
        select secret_mark, not_after from qualinet.runner_keys k where k.runner_id = runner.id
        order by (k.first_used_at is null), k.generation desc limit 1
      ) newest on true
      where runner.state = 'approved' and newest.not_after > ${now()}
        and newest.secret_mark is distinct from ${secretMark(current)}
      order by runner.created_at`,
  );
  return rows.map(({ runnerId }) => runnerId);
}
