import { sql } from 'drizzle-orm';
import { Secret } from '../../lib/secret.ts';
import { deriveKey, keyidOf, wrapKey } from '../../protocol/keys.ts';
import type { WrappedKey } from '../../protocol/messages.ts';
import { epochMs, nowPlus, rowsOf, type SqlNow, type Statements } from '../db/database.ts';
import { ProblemError } from '../problem-error.ts';
import type { Timing } from '../timing.ts';
import { secretMark, type WorkerSecrets } from '../worker-secrets.ts';

/** What key decisions need. */
export interface KeyDeps {
  db: Statements;
  now: SqlNow;
  timing: Timing;
  workerSecrets: WorkerSecrets;
}

/** A generation of a runner's key, without the key. */
export interface KeyState {
  generation: number;
  notBeforeMs: number;
  notAfterMs: number;
  /** Time left until `notAfterMs`. */
  leftMs: number;
  isUsed: boolean;
}

/** A runner as a signed request proves it. */
export interface RunnerCaller {
  runnerId: string;
  name: string;
  workspace: string;
  labels: string[];
  mode: 'self-hosted' | 'managed';
  draining: boolean;
  generation: number;
  notAfterMs: number;
  /** Its key is of a secret that is being replaced. */
  mustRotate: boolean;
}

/** What the database knows of a runner and one of its keys. */
export interface KnownRunner extends Omit<RunnerCaller, 'mustRotate'> {
  isUsed: boolean;
  isOver: boolean;
  isRevoked: boolean;
  /** Of the secret its key was made or used with last; null for one of before these were noted. */
  secretMark: string | null;
}

/** The runner behind a key and whether that key still counts. Null when no such key was ever issued. */
export async function findRunnerByKey(
  { db, now }: Pick<KeyDeps, 'db' | 'now'>,
  runnerId: string,
  generation: number,
): Promise<KnownRunner | null> {
  const [row] = await rowsOf<KnownRunner>(
    db,
    sql`
      select r.id as "runnerId", r.name, r.workspace, r.labels, r.mode, r.draining, k.generation,
        ${epochMs(sql`k.not_after`)} as "notAfterMs", k.first_used_at is not null as "isUsed",
        k.not_after <= ${now()} as "isOver", r.state <> 'approved' as "isRevoked",
        k.secret_mark as "secretMark"
      from qualinet.runners r join qualinet.runner_keys k on k.runner_id = r.id
      where r.id = ${runnerId}::uuid and k.generation = ${generation}`,
  );
  return row ?? null;
}

/** Notes the use of a key, and of which secret it was; every older one ends a grace later. */
export async function markKeyUsed(
  { db, now, timing }: Pick<KeyDeps, 'db' | 'now' | 'timing'>,
  { runnerId, generation }: Pick<RunnerCaller, 'runnerId' | 'generation'>,
  mark: string,
): Promise<void> {
  await db.execute(sql`
    with used as (
      update qualinet.runner_keys set first_used_at = coalesce(first_used_at, ${now()}), secret_mark = ${mark}
      where runner_id = ${runnerId}::uuid and generation = ${generation}
    )
    update qualinet.runner_keys set not_after = least(not_after, ${nowPlus(now, timing.keyGraceMs)})
    where runner_id = ${runnerId}::uuid and generation < ${generation}`);
}

/** Makes the given generation, or finds it made: lives `keyLifeMs` from now. */
export async function makeKey(
  { db, now, timing, workerSecrets }: KeyDeps,
  runnerId: string,
  generation: number,
): Promise<KeyState> {
  await db.execute(sql`
    insert into qualinet.runner_keys (runner_id, generation, not_before, not_after, secret_mark)
    values (${runnerId}::uuid, ${generation}, ${now()}, ${nowPlus(now, timing.keyLifeMs)},
      ${secretMark(workerSecrets[0])})
    on conflict do nothing`);
  const key = (await keysOf({ db, now }, runnerId)).find((made) => made.generation === generation);
  if (key === undefined)
    throw new Error(`the key ${generation} of ${runnerId} is not there after it was made`);
  return key;
}

/** All generations of a runner's key, newest first. */
export async function keysOf(
  { db, now }: Pick<KeyDeps, 'db' | 'now'>,
  runnerId: string,
): Promise<KeyState[]> {
  return rowsOf(
    db,
    sql`
      select generation, ${epochMs(sql`not_before`)} as "notBeforeMs", ${epochMs(sql`not_after`)} as "notAfterMs",
        ${epochMs(sql`not_after`)} - ${epochMs(now())} as "leftMs", first_used_at is not null as "isUsed"
      from qualinet.runner_keys where runner_id = ${runnerId}::uuid order by generation desc`,
  );
}

/**
 * The next generation for a runner that signed with `caller.generation`. Repeated while the new one is unused, it gives
 * the same one again. Throws `credential_expired` for a key that was followed by a used one.
 */
export async function rotateKey(
  deps: KeyDeps,
  caller: Pick<RunnerCaller, 'runnerId' | 'generation'>,
  publicKey: string,
) {
  const [newest] = await keysOf(deps, caller.runnerId);
  if (newest !== undefined && newest.generation > caller.generation && newest.isUsed) {
    throw new ProblemError('credential_expired', { detail: 'a newer key of this runner is in use already' });
  }
  const key = await makeKey(deps, caller.runnerId, caller.generation + 1);
  return {
    ...keyView(caller.runnerId, key),
    wrappedKey: wrapRunnerKey(deps, caller.runnerId, key, publicKey),
  };
}

/** A key's name and life as the wire has them. */
export function keyView(runnerId: string, { generation, notBeforeMs, notAfterMs }: KeyState) {
  return {
    keyid: keyidOf({ kind: 'runner', runnerId, generation }),
    generation,
    notBefore: new Date(notBeforeMs).toISOString(),
    notAfter: new Date(notAfterMs).toISOString(),
  };
}

/** The key itself, encrypted for the holder of `publicKey`'s private half. */
export function wrapRunnerKey(
  { workerSecrets: [current] }: Pick<KeyDeps, 'workerSecrets'>,
  runnerId: string,
  { generation }: Pick<KeyState, 'generation'>,
  publicKey: string,
): WrappedKey {
  const name = { kind: 'runner', runnerId, generation } as const;
  requireUsableKey(publicKey);
  return wrapKey(deriveKey(current, name), publicKey, keyidOf(name));
}

/** Throws `malformed_request` for a public key nothing can be encrypted for, such as a point of small order. */
export function requireUsableKey(publicKey: string): void {
  try {
    wrapKey(new Secret('AA'), publicKey, 'trial');
  } catch {
    throw new ProblemError('malformed_request', {
      errors: [{ path: 'publicKey', message: 'is no usable X25519 public key' }],
    });
  }
}
