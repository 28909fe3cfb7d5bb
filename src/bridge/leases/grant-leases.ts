import { type SQL, sql } from 'drizzle-orm';
import type { FlowSnapshot, Lease } from '../../protocol/messages.ts';
import { literalInteger, nowPlus, rowsOf, textArray } from '../db/database.ts';
import type { Timing } from '../timing.ts';
import type { LeaseDeps } from './lease-deps.ts';

/** Who asks for runs. */
export interface LeaseTaker {
  runnerId: string;
  workspace: string;
  labels: readonly string[];
}

/**
 * `ready` -> `offered`: grants up to `slots` runs of the runner's workspace whose labels it has, highest priority first,
 * then longest queued. One statement; two takers never get the same run (`skip locked`). Empty when there is none, or when
 * the runner may take none (draining, revoked).
 */
export async function grantLeases(
  { db, now, timing }: LeaseDeps,
  { runnerId, workspace, labels }: LeaseTaker,
  slots: number,
): Promise<Lease[]> {
  const granted = await rowsOf<GrantedRun>(
    db,
    sql`
      with picked as (
        select l.id from qualinet.leases l
        where l.state = 'ready' and l.workspace = ${workspace}
          and ${opaque(sql`l.labels <@ ${textArray(labels)}`)} and ${opaque(sql`l.available_at <= ${now()}`)}
          and ${opaque(sql`(select r.status from public.runs r where r.id = l.run_id) in ('queued', 'running')`)}
          and exists (
            select 1 from qualinet.runners where id = ${runnerId}::uuid and state = 'approved' and not draining)
        order by l.priority desc nulls last, l.queued_at, l.position
        limit ${literalInteger(slots)} for update of l skip locked
      ), granted as (
        update qualinet.leases l
        set state = 'offered', fence = l.fence + 1, runner_id = ${runnerId}::uuid, last_seq = 0, node_id = null,
          offered_until = ${nowPlus(now, timing.offerMs)}, started_at = null, expires_at = null, deadline_at = null
        from picked where l.id = picked.id and l.state = 'ready'
        returning l.id, l.run_id, l.fence, l.attempts, l.name, l.variables, l.on_redelivery,
          l.priority, l.queued_at, l.position
      )
      select g.id as "leaseId", g.run_id as "runId", g.fence, g.attempts + 1 as attempt, g.name, g.variables,
        g.on_redelivery as "onRedelivery",
        r.snapshot_nodes as nodes, r.snapshot_edges as edges
      from granted g join public.runs r on r.id = g.run_id
      order by g.priority desc, g.queued_at, g.position`,
  );
  return granted.map((run) => leaseOf(run, timing));
}

/** The lease of a run that was just granted, as its runner gets it. */
export function leaseOf({ nodes, edges, name, ...lease }: GrantedRun, timing: Timing): Lease {
  return {
    ...lease,
    ttlMs: timing.leaseTtlMs,
    heartbeatMs: timing.heartbeatMs,
    offerMs: timing.offerMs,
    remainingMs: timing.runMs,
    ...(name === null ? {} : { name }),
    flow: { nodes, edges },
  };
}

// A condition whose share the planner does not guess: it takes each of these for one that hardly any row meets, and would
// then rather read and sort all ready runs than follow the index to the first one.
function opaque(condition: SQL): SQL {
  return sql`coalesce(${condition}, false)`;
}

/** `offered` -> `ready` for leases whose poller has gone before it got the answer. */
export async function withdrawOffers(
  { db, now, hints }: LeaseDeps,
  runnerId: string,
  leases: readonly Pick<Lease, 'leaseId' | 'fence'>[],
): Promise<void> {
  for (const { leaseId, fence } of leases) {
    const [row] = await rowsOf<{ workspace: string; labels: string[] }>(
      db,
      sql`
        update qualinet.leases
        set state = 'ready', runner_id = null, offered_until = null, available_at = ${now()}
        where id = ${leaseId}::uuid and fence = ${fence} and runner_id = ${runnerId}::uuid and state = 'offered'
        returning workspace, labels`,
    );
    if (row !== undefined) hints.publish({ about: 'ready', ...row });
  }
}

/** How many runs could be granted now, by workspace and labels. */
export async function countReady({
  db,
  now,
}: Pick<LeaseDeps, 'db' | 'now'>): Promise<{ workspace: string; labels: string[]; runs: number }[]> {
  return rowsOf(
    db,
    sql`
      select workspace, labels, count(*)::int as runs from qualinet.leases
      where state = 'ready' and available_at <= ${now()} group by workspace, labels`,
  );
}

/** A run as its rows say it at the grant. */
export interface GrantedRun {
  leaseId: string;
  runId: string;
  fence: number;
  attempt: number;
  name: string | null;
  variables: Record<string, string>;
  onRedelivery: string;
  nodes: FlowSnapshot['nodes'];
  edges: FlowSnapshot['edges'];
}
