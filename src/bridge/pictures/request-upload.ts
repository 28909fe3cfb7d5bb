import { sql } from 'drizzle-orm';
import type * as z from 'zod';
import type { uploadRequest } from '../../protocol/messages.ts';
import { type Database, rowsOf, type SqlNow } from '../db/database.ts';
import { ProblemError } from '../problem-error.ts';
import { pictureKey } from './picture-key.ts';
import type { PresignedPut, Presigner } from './presigner.ts';

/** Pictures one attempt may upload: a step that fails ends its run, so more than a few is no honest runner. */
const maxUploads = 50;

/**
 * A URL for the picture of a step of a held lease; null when the lease is not this runner's. The same request gives the
 * same object. Nobody looks afterwards whether it was put: a runner names a picture only once storage has taken it, and
 * one that lies breaks a link in its own run.
 */
export async function requestUpload(
  { db, now }: { db: Database; now: SqlNow },
  presigner: Presigner,
  leaseId: string,
  runnerId: string,
  { fence, nodeId, contentType, bytes, sha256 }: z.output<typeof uploadRequest>,
): Promise<PresignedPut | null> {
  const [held] = await rowsOf<{ runId: string; uploads: number }>(
    db,
    sql`
      select l.run_id as "runId",
        (select count(*)::int from qualinet.uploads u where u.run_id = l.run_id and u.fence = l.fence) as uploads
      from qualinet.leases l
      where l.id = ${leaseId}::uuid and l.fence = ${fence} and l.runner_id = ${runnerId}::uuid
        and l.state = 'leased'`,
  );
  if (held === undefined) return null;
  if (held.uploads >= maxUploads) {
    throw new ProblemError('artifact_refused', { detail: `more than ${maxUploads} pictures of one attempt` });
  }
  const key = pictureKey({ runId: held.runId, fence, nodeId, sha256, contentType });
  const put = await presigner.presign({ key, contentType, bytes, sha256 });
  await db.execute(sql`
    insert into qualinet.uploads
      (key, run_id, fence, node_id, content_type, bytes, sha256, public_url, requested_at)
    values (${key}, ${held.runId}::uuid, ${fence}, ${nodeId}, ${contentType}, ${bytes}, ${sha256}, ${put.publicUrl},
      ${now()})
    on conflict (key) do nothing`);
  return put;
}
