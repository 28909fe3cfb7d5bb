import { sql } from 'drizzle-orm';
import type { RunResult } from '../../protocol/run-result.ts';
import { type Database, rowsOf } from '../db/database.ts';

/** The picture URLs this bridge issued for the run of a lease, under any fence. */
export async function issuedUrls(db: Pick<Database, 'execute'>, leaseId: string): Promise<Set<string>> {
  const rows = await rowsOf<{ url: string }>(
    db,
    sql`
      select u.public_url as url from qualinet.uploads u join qualinet.leases l on l.run_id = u.run_id
      where l.id = ${leaseId}::uuid`,
  );
  return new Set(rows.map(({ url }) => url));
}

/**
 * The result with only such screenshots as this bridge issued for the run: operators open these URLs, and a runner must not
 * be able to plant another one. A dropped one leaves its reason in `screenshotProblem`.
 */
export async function withOwnScreenshotsOnly(
  db: Pick<Database, 'execute'>,
  leaseId: string,
  result: RunResult,
): Promise<RunResult> {
  if (!result.stepsResult.some(({ screenshotUrl }) => screenshotUrl !== undefined)) return result;
  const issued = await issuedUrls(db, leaseId);
  return {
    ...result,
    stepsResult: result.stepsResult.map((step) => {
      if (step.screenshotUrl === undefined || issued.has(step.screenshotUrl)) return step;
      const { screenshotUrl: _, ...rest } = step;
      return { ...rest, screenshotProblem: 'The runner named a picture that was not uploaded for this run.' };
    }),
  };
}
