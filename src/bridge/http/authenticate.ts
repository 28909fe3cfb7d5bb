import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../lib/secret.ts';
import { deriveKey, type KeyName, parseKeyid } from '../../protocol/keys.ts';
import type { Route, RouteAuth } from '../../protocol/routes.ts';
import { type RequestMessage, type SigningKey, verifyRequest } from '../../protocol/signing.ts';
import { ProblemError } from '../problem-error.ts';
import { type KeyDeps, markKeyUsed, type RunnerCaller } from '../runners/runner-keys.ts';
import { secretMark } from '../worker-secrets.ts';
import type { KnownCallers } from './known-callers.ts';
import type { Nonces } from './nonces.ts';

/** What checking a request needs. */
export interface AuthDeps extends KeyDeps {
  callers: KnownCallers;
  /** Keys that the secrets give, in their order. */
  keysOf: (name: KeyName) => readonly Secret[];
  adminToken: Secret;
  /** Null when managed pairing is off. */
  managedSecret: Secret | null;
  nonces: Nonces;
  nowMs: () => number;
  publicUrl: () => string;
}

/** Who a request is from. */
export interface Authenticated {
  caller: RunnerCaller | { runnerId: string } | null;
}

/** Called as soon as the HMAC has verified, whatever is wrong besides: from then on answers are signed with this key. */
export type OnAuthentic = (key: SigningKey) => void;

/**
 * Checks a request as its route's `auth` asks. Order: HMAC, state of the key, digest, time, nonce. Throws ProblemError.
 * The address that was signed is built from PUBLIC_URL, never from the Host header.
 */
export async function authenticate(
  deps: AuthDeps,
  {
    auth,
    isOpenToRevoked = false,
  }: Pick<Route, 'isOpenToRevoked'> & { auth: Exclude<RouteAuth, 'operator-or-near'> },
  message: RequestMessage,
  onAuthentic: OnAuthentic,
): Promise<Authenticated> {
  if (auth === 'none' || auth === 'presigned') return { caller: null };
  if (auth === 'operator') {
    requireToken(message.headers['authorization'], deps.adminToken);
    return { caller: null };
  }
  if (auth === 'managed' && deps.managedSecret === null) {
    throw new ProblemError('not_allowed', { detail: 'managed pairing is off on this bridge' });
  }
  const found = await verifySignature(deps, auth, message, onAuthentic);
  if (found.runner !== null) {
    if (found.runner.isRevoked && !isOpenToRevoked) throw new ProblemError('credential_revoked');
    if (found.runner.isOver && !found.runner.isRevoked) throw new ProblemError('credential_expired');
  }
  if (found.problem !== null) {
    // A clock that is slow by a minute or two looks like a late request: the runner learns the time with both.
    const isAboutTime = found.problem === 'clock_skew' || found.problem === 'signature_expired';
    const serverTime = new Date(deps.nowMs()).toISOString();
    throw new ProblemError(found.problem, isAboutTime ? { serverTime } : {});
  }
  const remembered = await deps.nonces.remember(found.keyid, found.nonce, found.createdAtMs);
  if (remembered === 'seen') throw new ProblemError('replayed');
  if (remembered === 'full') throw new ProblemError('unavailable', { detail: 'too many requests' }, 10_000);
  if (found.runner === null) return { caller: found.enrolling };
  const { isUsed, isOver: _, isRevoked: __, secretMark: kept, ...caller } = found.runner;
  const mark = secretMark(deps.workerSecrets[found.secretIndex] ?? deps.workerSecrets[0]);
  if (!isUsed || kept !== mark) {
    await markKeyUsed(deps, caller, mark);
    deps.callers.forget(caller.runnerId);
  }
  return { caller: { ...caller, mustRotate: found.secretIndex > 0 } };
}

async function verifySignature(
  deps: AuthDeps,
  auth: 'runner' | 'enrol' | 'managed',
  message: RequestMessage,
  onAuthentic: OnAuthentic,
) {
  let runner: Awaited<ReturnType<KnownCallers['find']>> = null;
  let enrolling: { runnerId: string } | null = null;
  let candidates: readonly Secret[] = [];
  const verdict = await verifyRequest(
    message,
    async (keyid) => {
      const name = parseKeyid(keyid);
      if (name === null || name.kind !== auth) return [];
      if (name.kind === 'managed') {
        return deps.managedSecret === null ? [] : [{ keyid, secret: deriveKey(deps.managedSecret, name) }];
      }
      if (name.kind === 'enrol') enrolling = { runnerId: name.runnerId };
      else {
        runner = await deps.callers.find(name.runnerId, name.generation);
        if (runner === null) return [];
      }
      candidates = deps.keysOf(name);
      return candidates.map((secret) => ({ keyid, secret }));
    },
    deps.nowMs(),
  );
  if (!verdict.authentic) {
    throw new ProblemError(verdict.problem, {
      detail: `${verdict.detail}; requests are signed for ${deps.publicUrl()}`,
    });
  }
  onAuthentic(verdict.key);
  return {
    keyid: verdict.key.keyid,
    nonce: verdict.nonce,
    createdAtMs: verdict.createdAtMs,
    problem: verdict.problem,
    /** Which of the secrets the key was derived from. */
    secretIndex: Math.max(0, candidates.indexOf(verdict.key.secret)),
    // The callback above set them; control flow analysis does not see that.
    runner: runner as Awaited<ReturnType<KnownCallers['find']>>,
    enrolling: enrolling as { runnerId: string } | null,
  };
}

function requireToken(header: string | undefined, token: Secret): void {
  const given = /^Bearer (\S+)$/i.exec(header ?? '')?.[1];
  if (given === undefined) {
    throw new ProblemError('token_refused', {
      detail: 'Authorization: Bearer <QUALINET_ADMIN_TOKEN> is needed',
    });
  }
  if (!timingSafeEqual(sha256(given), sha256(token.reveal()))) throw new ProblemError('token_refused');
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
