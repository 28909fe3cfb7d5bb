import { sql } from 'drizzle-orm';
import type { Log } from '../../lib/log.ts';
import type { Database } from '../db/database.ts';
import { ProblemError } from '../problem-error.ts';
import type { Content, Handlers } from './handler.ts';
import { openapi } from './openapi.ts';

/** Routes about the bridge itself. */
export function systemRoutes({
  db,
  log,
  publicUrl,
}: {
  db: Database;
  log: Log;
  publicUrl: () => string;
}): Pick<Handlers, 'health' | 'ready' | 'openapi'> {
  return {
    health: async () => text('text/plain; charset=utf-8', 'ok\n'),
    async ready() {
      try {
        await db.execute(sql`select 1`);
      } catch (error) {
        log.warn('the database does not answer', { error });
        throw new ProblemError('unavailable', { detail: 'the database does not answer' }, 5_000);
      }
      return text('text/plain; charset=utf-8', 'ready\n');
    },
    openapi: async () => text('application/json', `${JSON.stringify(openapi(publicUrl()), null, 2)}\n`),
  };
}

function text(contentType: string, content: string): Content {
  return { contentType, bytes: Buffer.from(content) };
}
