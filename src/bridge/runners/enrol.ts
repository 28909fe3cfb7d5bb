import { sql } from 'drizzle-orm';
import type * as z from 'zod';
import type { enrolRequest } from '../../protocol/messages.ts';
import { json, rowsOf, textArray } from '../db/database.ts';
import type { LeaseDeps } from '../leases/lease-deps.ts';
import { ProblemError } from '../problem-error.ts';
import { nameOf } from './pairing.ts';
import { type KeyDeps, keysOf, keyView, makeKey } from './runner-keys.ts';

/**
 * Makes an operator's own container an approved runner of the workspace `default`, or refreshes it at its next start. It
 * derives its key itself, so only the generation is told; in the last third of a key's life that is the next one.
 * Throws `credential_revoked` for a runner that was revoked.
 */
export async function enrolRunner(
  deps: Pick<LeaseDeps, 'db' | 'now' | 'timing' | 'hints'> & Pick<KeyDeps, 'workerSecrets'>,
  runnerId: string,
  { host, name, labels = [] }: z.output<typeof enrolRequest>,
) {
  const { db, now, timing, hints } = deps;
  const [runner] = await rowsOf<{
    name: string;
    workspace: string;
    labels: string[];
    mode: 'self-hosted' | 'managed';
  }>(
    db,
    sql`
      insert into qualinet.runners
        (id, name, state, workspace, labels, mode, host, check_word, created_at, approved_at)
      values (${runnerId}::uuid, ${nameOf({ name, host })}, 'approved', 'default', ${textArray(labels)},
        'self-hosted', ${json(host)}, '', ${now()}, ${now()})
      on conflict (id) do update set name = excluded.name, labels = excluded.labels, host = excluded.host
      where runners.state = 'approved'
      returning name, workspace, labels, mode`,
  );
  if (runner === undefined) throw new ProblemError('credential_revoked');
  // Its name and labels may be others now than those that bridges remember.
  hints.publish({ about: 'runner', runnerId, leaseId: null });
  const [newest] = await keysOf(deps, runnerId);
  const isFresh = newest !== undefined && newest.leftMs > timing.keyLifeMs / 3;
  const key = isFresh ? newest : await makeKey(deps, runnerId, (newest?.generation ?? 0) + 1);
  return { runnerId, ...runner, ...keyView(runnerId, key) };
}
