import { type SQL, sql } from 'drizzle-orm';
import type * as z from 'zod';
import type { Capabilities, runnerView } from '../../protocol/messages.ts';
import { epochMs, json, nowPlus, rowsOf } from '../db/database.ts';
import type { LeaseDeps } from '../leases/lease-deps.ts';
import { ProblemError } from '../problem-error.ts';
import { isOnline, lastSeenAt, withHeld } from './runner-activity.ts';
import { type KeyDeps, makeKey } from './runner-keys.ts';

/** A runner as operators see it. */
export type RunnerView = z.output<typeof runnerView>;

type RunnersDeps = Pick<LeaseDeps, 'db' | 'now' | 'timing' | 'hints'>;
type ReadDeps = Pick<LeaseDeps, 'db' | 'now' | 'timing'>;

/** All runners, newest first. */
export async function listRunners(deps: ReadDeps): Promise<RunnerView[]> {
  return selectRunners(deps, sql`order by runner.created_at desc`);
}

/** Approves or denies a pending runner. Doing it again answers the same; anything else is `not_found` with the reason. */
export async function decideRunner(
  deps: RunnersDeps & Pick<KeyDeps, 'workerSecrets'>,
  runnerId: string,
  approve: boolean,
): Promise<RunnerView> {
  const { db, now, timing } = deps;
  const wanted = approve ? 'approved' : 'denied';
  // The key comes first: an approved runner without one could never be told apart from one that was not approved.
  if (approve && (await findRunner(deps, runnerId))?.state === 'pending') await makeKey(deps, runnerId, 1);
  await db.execute(sql`
    update qualinet.runners set state = ${wanted}, approved_at = ${approve ? now() : sql`null`},
      pairing_expires_at = ${nowPlus(now, timing.pairingMs)}
    where id = ${runnerId}::uuid and state = 'pending' and pairing_expires_at > ${now()}`);
  const runner = await findRunner(deps, runnerId);
  if (runner?.state === wanted) return runner;
  throw new ProblemError('not_found', {
    detail:
      runner === null
        ? 'there is no such runner'
        : runner.state === 'pending'
          ? 'this pairing was not decided in time; the runner must pair again'
          : `this runner is ${runner.state} already`,
  });
}

/** Lets a runner take no further runs, or ends that. */
export async function drainRunner(deps: RunnersDeps, runnerId: string, drain: boolean): Promise<RunnerView> {
  return changeRunner(deps, runnerId, sql`draining = ${drain}`);
}

/**
 * Ends all keys of a runner, for good. It is made to ask about its runs at once, stops at the answer, and hands them back.
 * Those of a runner that cannot be reached run out by themselves.
 */
export async function revokeRunner(deps: RunnersDeps, runnerId: string): Promise<RunnerView> {
  return changeRunner(deps, runnerId, sql`state = 'revoked'`);
}

/** Leases this runner holds now. */
export async function leasesHeldBy(db: LeaseDeps['db'], runnerId: string): Promise<string[]> {
  const held = await rowsOf<{ leaseId: string }>(
    db,
    sql`
      select id as "leaseId" from qualinet.leases
      where runner_id = ${runnerId}::uuid and state in ('offered', 'leased')`,
  );
  return held.map(({ leaseId }) => leaseId);
}

/** Notes that runners poll, and what each can do, by id. */
export async function noteSeen(
  { db, now }: Pick<RunnersDeps, 'db' | 'now'>,
  seen: ReadonlyMap<string, Capabilities>,
): Promise<void> {
  const notes = [...seen].map(([id, capabilities]) => ({ id, capabilities }));
  await db.execute(sql`
    update qualinet.runners r set last_seen_at = ${now()}, capabilities = n.capabilities
    from jsonb_to_recordset(${json(notes)}) as n(id uuid, capabilities jsonb) where r.id = n.id`);
}

async function changeRunner(deps: RunnersDeps, runnerId: string, change: SQL): Promise<RunnerView> {
  const { db, hints } = deps;
  await db.execute(sql`update qualinet.runners set ${change} where id = ${runnerId}::uuid`);
  hints.publish({ about: 'runner', runnerId, leaseId: null });
  const runner = await findRunner(deps, runnerId);
  if (runner === null) throw new ProblemError('not_found', { detail: 'there is no such runner' });
  return runner;
}

/** Whether this runner may take runs at all; false for one that was revoked or denied. */
export async function isApproved(db: LeaseDeps['db'], runnerId: string): Promise<boolean> {
  const [runner] = await rowsOf<{ state: string }>(
    db,
    sql`select state from qualinet.runners where id = ${runnerId}::uuid`,
  );
  return runner?.state === 'approved';
}

async function findRunner(deps: ReadDeps, runnerId: string): Promise<RunnerView | null> {
  const [runner] = await selectRunners(deps, sql`where runner.id = ${runnerId}::uuid`);
  return runner ?? null;
}

type RunnerRow = Omit<RunnerView, 'pairedAt' | 'lastSeenAt'> & {
  pairedAtMs: number | null;
  lastSeenAtMs: number | null;
};

async function selectRunners({ db, now, timing }: ReadDeps, condition: SQL): Promise<RunnerView[]> {
  const rows = await rowsOf<RunnerRow>(
    db,
    sql`
      select runner.id as "runnerId", runner.name, runner.state, runner.workspace, runner.labels, runner.mode,
        runner.host, runner.check_word as "checkWord", runner.draining, runner.capabilities,
        ${epochMs(sql`runner.approved_at`)} as "pairedAtMs", ${epochMs(lastSeenAt)} as "lastSeenAtMs",
        ${isOnline(now)} as online, coalesce(held.holds, 0) as holds
      from qualinet.runners runner ${withHeld(timing)} ${condition}`,
  );
  return rows.map(({ pairedAtMs, lastSeenAtMs, ...row }) => ({
    ...row,
    pairedAt: isoOrNull(pairedAtMs),
    lastSeenAt: isoOrNull(lastSeenAtMs),
  }));
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
