import { createHmac, randomInt, randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import type * as z from 'zod';
import type { createCodeRequest } from '../../protocol/messages.ts';
import { epochMs, nowPlus, rowsOf, type SqlNow, type Statements, textArray } from '../db/database.ts';
import { ProblemError } from '../problem-error.ts';
import type { Timing } from '../timing.ts';

/** Codes that may be open at once in a workspace: each one more makes guessing easier. */
export const maxOpenCodes = 3;

/** What codes need; `peppers` key the HMAC under which they are stored: with the first, and found with any. */
export interface CodeDeps {
  db: Statements;
  now: SqlNow;
  timing: Timing;
  peppers: readonly [Buffer, ...Buffer[]];
}

/** What an operator gets to read out. */
export interface NewCode {
  code: string;
  workspace: string;
  labels: string[];
  autoApprove: boolean;
  managed: boolean;
  expiresAtMs: number;
}

/** Makes a code of 6 digits. Throws `too_many_attempts` while the workspace has {@link maxOpenCodes} open ones. */
export async function createCode(
  { db, now, timing, peppers }: CodeDeps,
  request: z.output<typeof createCodeRequest>,
  autoApproveDefault: boolean,
): Promise<NewCode> {
  const { workspace = 'default', labels = [], managed = false, autoApprove = autoApproveDefault } = request;
  const ttlMs = request.ttlMs ?? timing.pairingCodeMs;
  const open = await rowsOf<{ workspace: string; hmac: string; leftMs: number }>(
    db,
    sql`
      select workspace, code_hmac as hmac, ${epochMs(sql`expires_at`)} - ${epochMs(now())} as "leftMs"
      from qualinet.pairing_codes where used_at is null and expires_at > ${now()}`,
  );
  const own = open.filter((code) => code.workspace === workspace);
  if (own.length >= maxOpenCodes) {
    throw new ProblemError(
      'too_many_attempts',
      { detail: `the workspace ${workspace} has ${own.length} open pairing codes; use one of them or wait` },
      Math.min(...own.map(({ leftMs }) => leftMs)),
    );
  }
  const taken = new Set(open.map(({ hmac }) => hmac));
  let code: string;
  do code = String(randomInt(1_000_000)).padStart(6, '0');
  while (peppers.some((pepper) => taken.has(codeHmac(pepper, code))));
  const [row] = await rowsOf<{ expiresAtMs: number }>(
    db,
    sql`
      insert into qualinet.pairing_codes
        (id, code_hmac, workspace, labels, auto_approve, managed, created_at, expires_at)
      values (${randomUUID()}::uuid, ${codeHmac(peppers[0], code)}, ${workspace}, ${textArray(labels)}, ${autoApprove},
        ${managed}, ${now()}, ${nowPlus(now, ttlMs)})
      returning ${epochMs(sql`expires_at`)} as "expiresAtMs"`,
  );
  if (row === undefined) throw new Error('the new pairing code was not stored');
  return { code, workspace, labels, autoApprove, managed, expiresAtMs: row.expiresAtMs };
}

/** Uses up a code. Null for a wrong, used or expired one, and for one of the other kind: the caller cannot tell which. */
export async function useCode(
  { db, now, peppers }: CodeDeps,
  code: string,
  managed: boolean,
): Promise<{ workspace: string; labels: string[]; autoApprove: boolean } | null> {
  const [used] = await rowsOf<{ workspace: string; labels: string[]; autoApprove: boolean }>(
    db,
    sql`
      update qualinet.pairing_codes set used_at = ${now()}
      where code_hmac = any(${textArray(peppers.map((pepper) => codeHmac(pepper, code)))}) and managed = ${managed} and used_at is null
        and expires_at > ${now()}
      returning workspace, labels, auto_approve as "autoApprove"`,
  );
  return used ?? null;
}

/** Forgets codes that were over an hour ago. */
export async function forgetOldCodes({ db, now }: Pick<CodeDeps, 'db' | 'now'>): Promise<void> {
  await db.execute(sql`delete from qualinet.pairing_codes where expires_at < ${nowPlus(now, -3_600_000)}`);
}

function codeHmac(pepper: Buffer, code: string): string {
  return createHmac('sha256', pepper).update(code).digest('base64url');
}
