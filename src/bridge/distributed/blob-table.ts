import { sql } from 'drizzle-orm';
import { type Database, rowsOf, type SqlNow } from '../db/database.ts';
import type { Blobs } from '../pictures/blobs.ts';

/** Pictures as rows, so that every bridge can show what any of them was given. A bucket is better for many. */
export function blobTable({ db, now }: { db: Database; now: SqlNow }): Blobs {
  return {
    async put(key, bytes) {
      // Hex, because drivers differ in how they take bytes; the key holds the content's hash, so what is there is the same.
      await db.execute(sql`
        insert into qualinet.blobs (key, content, stored_at)
        values (${key}, decode(${Buffer.from(bytes).toString('hex')}, 'hex'), ${now()}) on conflict (key) do nothing`);
    },
    async read(key) {
      const [row] = await rowsOf<{ content: string }>(
        db,
        sql`select encode(content, 'base64') as content from qualinet.blobs where key = ${key}`,
      );
      return row === undefined ? null : Buffer.from(row.content, 'base64');
    },
  };
}
