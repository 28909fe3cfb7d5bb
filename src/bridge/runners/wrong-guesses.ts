import { randomUUID } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { sql } from 'drizzle-orm';
import { epochMs, nowPlus, rowsOf, type SqlNow, type Statements } from '../db/database.ts';
import { ProblemError } from '../problem-error.ts';

// With 3 open codes and 20 wrong guesses a minute in all, hitting one takes weeks, and gives a pending runner only.
// Source: security.md section 5, "6 digits alone are not enough".
const perAddress = { max: 5, windowMs: 10 * 60_000 };
const overall = { max: 20, windowMs: 60_000 };

interface GuessDeps {
  db: Statements;
  now: SqlNow;
}

/**
 * Runs `attempt` unless this address, or everybody together, guessed wrong too often: then it throws `too_many_attempts`.
 * An attempt that gives null counts as a wrong guess. It is counted before it runs, so that many at once gain nothing.
 */
export async function countingGuesses<T>(
  { db, now }: GuessDeps,
  ip: string,
  attempt: () => Promise<T | null>,
): Promise<T | null> {
  const address = network(ip);
  const id = randomUUID();
  const forget = () => db.execute(sql`delete from qualinet.wrong_guesses where id = ${id}::uuid`);
  await db.execute(
    sql`insert into qualinet.wrong_guesses (id, address, at) values (${id}::uuid, ${address}, ${now()})`,
  );
  const [counted] = await rowsOf<{
    own: number;
    all: number;
    ownLeftMs: number | null;
    allLeftMs: number | null;
  }>(
    db,
    sql`
      select count(*) filter (where address = ${address})::int as own,
        count(*) filter (where at > ${nowPlus(now, -overall.windowMs)})::int as all,
        min(${epochMs(sql`at`)}) filter (where address = ${address}) + ${perAddress.windowMs}::float8
          - ${epochMs(now())} as "ownLeftMs",
        min(${epochMs(sql`at`)}) filter (where at > ${nowPlus(now, -overall.windowMs)}) + ${overall.windowMs}::float8
          - ${epochMs(now())} as "allLeftMs"
      from qualinet.wrong_guesses where at > ${nowPlus(now, -perAddress.windowMs)}`,
  );
  if (counted !== undefined && (counted.own > perAddress.max || counted.all > overall.max)) {
    await forget();
    const leftMs = counted.own > perAddress.max ? counted.ownLeftMs : counted.allLeftMs;
    throw new ProblemError('too_many_attempts', { detail: 'too many wrong pairing codes' }, leftMs ?? 60_000);
  }
  const result = await attempt();
  if (result !== null) await forget();
  return result;
}

/** Drops guesses no limit looks at any more. */
export async function forgetOldGuesses({ db, now }: GuessDeps): Promise<void> {
  await db.execute(sql`delete from qualinet.wrong_guesses where at < ${nowPlus(now, -perAddress.windowMs)}`);
}

/** What is limited: an IPv4 address, or the /64 of an IPv6 address (one household has all of it). */
export function network(ip: string): string {
  const address = ip.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '').replace(/%.*$/, '');
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined
      ? []
      : Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  return [...before, ...zeros, ...after]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
