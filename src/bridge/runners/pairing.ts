import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import type * as z from 'zod';
import { checkWord } from '../../protocol/keys.ts';
import type { claimRequest, redeemRequest } from '../../protocol/messages.ts';
import { epochMs, json, nowPlus, rowsOf, textArray } from '../db/database.ts';
import type { LeaseDeps } from '../leases/lease-deps.ts';
import { ProblemError } from '../problem-error.ts';
import { type CodeDeps, useCode } from './pairing-codes.ts';
import { type KeyDeps, keysOf, keyView, makeKey, requireUsableKey, wrapRunnerKey } from './runner-keys.ts';
import { countingGuesses } from './wrong-guesses.ts';

/** What pairing needs. */
export type PairingDeps = Pick<LeaseDeps, 'db' | 'now' | 'timing' | 'hints'> &
  Pick<CodeDeps, 'peppers'> &
  Pick<KeyDeps, 'workerSecrets'>;

/**
 * Redeems a code: makes a pending runner, approved already when the code says so. Throws `pairing_code_refused`, the same
 * for wrong, used and expired codes, and `too_many_attempts`.
 */
export async function redeemCode(
  deps: PairingDeps,
  request: z.output<typeof redeemRequest>,
  { managed, ip }: { managed: boolean; ip: string },
) {
  const { db, now, timing } = deps;
  requireUsableKey(request.publicKey);
  const code = await countingGuesses(deps, ip, () => useCode(deps, request.code, managed));
  if (code === null) throw new ProblemError('pairing_code_refused');
  const runnerId = randomUUID();
  const claimToken = randomBytes(32).toString('base64url');
  const word = checkWord(runnerId, request.publicKey);
  const labels = [...new Set([...code.labels, ...(request.labels ?? [])])];
  const [row] = await rowsOf<{ expiresAtMs: number }>(
    db,
    sql`
      insert into qualinet.runners (id, name, state, workspace, labels, mode, host, check_word, public_key,
        claim_token_hash, pairing_expires_at, created_at, approved_at)
      values (${runnerId}::uuid, ${nameOf(request)},
        ${code.autoApprove ? 'approved' : 'pending'}, ${code.workspace}, ${textArray(labels)},
        ${managed ? 'managed' : 'self-hosted'}, ${json(request.host)}, ${word}, ${request.publicKey},
        ${hashOf(claimToken)}, ${nowPlus(now, timing.pairingMs)}, ${now()},
        ${code.autoApprove ? now() : sql`null`})
      returning ${epochMs(sql`pairing_expires_at`)} as "expiresAtMs"`,
  );
  if (row === undefined) throw new Error('the new runner was not stored');
  if (code.autoApprove) await makeKey(deps, runnerId, 1);
  return {
    runnerId,
    claimToken,
    checkWord: word,
    workspace: code.workspace,
    pollAfterMs: timing.claimPollMs,
    expiresAt: new Date(row.expiresAtMs).toISOString(),
  };
}

/** What operators call a runner that brings no name: its host, as long as a name may be. */
export function nameOf({ name, host }: { name?: string | undefined; host: { hostname: string } }): string {
  return name ?? (host.hostname.slice(0, 200) || 'runner');
}

/**
 * Whether a pending runner was approved, and then its wrapped key; again and again until the key was used. Throws
 * `not_found` for an unknown runner or a wrong token, `pairing_denied`, and `pairing_expired`.
 */
export async function claimCredentials(
  deps: PairingDeps,
  { runnerId, claimToken }: z.output<typeof claimRequest>,
  apiBaseUrl: string,
) {
  const [runner] = await rowsOf<ClaimingRow>(
    deps.db,
    sql`
      select name, state, workspace, labels, mode, public_key as "publicKey",
        pairing_expires_at <= ${deps.now()} as "isOver"
      from qualinet.runners where id = ${runnerId}::uuid and claim_token_hash = ${hashOf(claimToken)}`,
  );
  if (runner === undefined || runner.publicKey === null) {
    throw new ProblemError('not_found', { detail: 'there is no such pairing' });
  }
  if (runner.state === 'denied') throw new ProblemError('pairing_denied');
  const [key] = await keysOf(deps, runnerId);
  if (runner.state === 'revoked' || runner.isOver || key?.isUsed === true) {
    throw new ProblemError('pairing_expired', {
      detail:
        key?.isUsed === true
          ? 'these credentials were fetched and used already'
          : 'pair again with a new code',
    });
  }
  if (runner.state === 'pending' || key === undefined) {
    return { state: 'pending' as const, pollAfterMs: deps.timing.claimPollMs };
  }
  const { name, workspace, labels, mode } = runner;
  return {
    state: 'approved' as const,
    apiBaseUrl,
    name,
    workspace,
    labels,
    mode,
    ...keyView(runnerId, key),
    wrappedKey: wrapRunnerKey(deps, runnerId, key, runner.publicKey),
  };
}

interface ClaimingRow {
  name: string;
  state: 'pending' | 'approved' | 'denied' | 'revoked';
  workspace: string;
  labels: string[];
  mode: 'self-hosted' | 'managed';
  publicKey: string | null;
  isOver: boolean;
}

// The token has 256 random bits, so a plain hash keeps a copy of the database from being enough to claim.
function hashOf(claimToken: string): string {
  return createHash('sha256').update(claimToken).digest('hex');
}
