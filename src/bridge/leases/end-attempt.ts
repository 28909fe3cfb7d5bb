import { sql } from 'drizzle-orm';
import { nodeTypeNamed, nodeTypes } from '../../flow/node-types/node-types.ts';
import type { onRedeliveryModes } from '../../protocol/messages.ts';
import type { RunError } from '../../protocol/run-result.ts';
import { nowPlus, rowsOf } from '../db/database.ts';
import { type EventLog, fromTheFirst, updatesAfter } from '../events/event-log.ts';
import type { LeaseDeps } from './lease-deps.ts';
import { settleByBridge } from './settle-run.ts';

/** An attempt that is over without a result. */
export interface AttemptEnd {
  leaseId: string;
  fence: number;
  /** Why, as `lastEndReason` shows it: `expired`, `not_acknowledged`, or a runner's reason for the release. */
  reason: string;
  detail?: string | undefined;
  /** Who released it; null when the bridge ended the attempt. */
  releasedBy: string | null;
  /** True when the reason does not use up an attempt as long as no step had started. Before the offer was taken, none does. */
  isFree: boolean;
}

/**
 * `offered` or `leased` -> `ready` again, or a final state when cancel was asked, the attempts are used up, or the run is
 * not to be delivered again. False when the lease had moved on meanwhile.
 */
export async function endAttempt(deps: LeaseDeps, end: AttemptEnd): Promise<boolean> {
  const { db, now, timing, hints, log } = deps;
  const [lease] = await rowsOf<LeaseRow>(
    db,
    sql`
      select l.run_id as "runId", l.state, l.attempts, l.handbacks, l.on_redelivery as "onRedelivery", l.workspace,
        l.labels, l.cancel_requested_at is not null as "cancelRequested",
        l.node_id as "nodeId", l.node_id is not null or l.last_seq > 0 as "stepStarted"
      from qualinet.leases l
      where l.id = ${end.leaseId}::uuid and l.fence = ${end.fence} and l.state in ('offered', 'leased')`,
  );
  if (lease === undefined) return false;

  const isMissedOffer = end.releasedBy === null && lease.state === 'offered';
  // Nothing of a run has begun before its offer is taken, why ever it is handed back.
  const mayBeFree = end.isFree || lease.state === 'offered';
  const isFree = mayBeFree && !isMissedOffer && !lease.stepStarted && lease.handbacks < timing.freeHandbacks;
  const begun = lease.attempts + (lease.state === 'offered' ? 1 : 0);
  const attempts = isFree || isMissedOffer ? begun - 1 : begun;
  // A heartbeat may have come since the lease was found silent; only one that still is may be ended for that.
  const isSilent =
    end.releasedBy === null && lease.state === 'leased'
      ? sql`l.expires_at <= ${nowPlus(now, -timing.releaseGapMs)}`
      : sql`true`;
  const guard = sql`l.id = ${end.leaseId}::uuid and l.fence = ${end.fence} and l.state = ${lease.state} and ${isSilent}`;
  const final = await finalState(deps, lease, attempts, isFree || isMissedOffer);
  if (final !== null) {
    const lastAttempt = { attempts, endReason: endReason(end), releasedBy: end.releasedBy };
    return settleByBridge(deps, { guard, ...final, lastAttempt });
  }

  const delayMs =
    isFree && end.reason === 'cannot_start' ? timing.handbackDelayMs * 2 ** Math.min(lease.handbacks, 6) : 0;
  const returned = await rowsOf(
    db,
    sql`
      with returned as (
      update qualinet.leases l
      set state = 'ready', runner_id = null, node_id = null, offered_until = null, expires_at = null,
        deadline_at = null, started_at = null, attempts = ${attempts}, handbacks = l.handbacks + ${isFree ? 1 : 0},
        available_at = ${nowPlus(now, delayMs)},
        last_end_reason = ${isMissedOffer ? sql`l.last_end_reason` : endReason(end)},
        released_by = coalesce(${end.releasedBy}::uuid, l.released_by),
        released_fence = case when ${end.releasedBy}::uuid is null then l.released_fence else l.fence end
      where ${guard} returning l.id, l.run_id
      ), waiting as (
        update public.runs r set status = 'queued' from returned where r.id = returned.run_id and r.status = 'running'
      )
      select id from returned`,
  );
  if (returned.length === 0) return false;
  log.info('run waits again', { runId: lease.runId, fence: end.fence, attempts, reason: endReason(end) });
  deps.returned?.(end.reason);
  hints.publish({ about: 'run', runId: lease.runId });
  hints.publish({ about: 'ready', workspace: lease.workspace, labels: lease.labels });
  return true;
}

interface LeaseRow {
  runId: string;
  state: 'offered' | 'leased';
  attempts: number;
  handbacks: number;
  onRedelivery: (typeof onRedeliveryModes)[number];
  workspace: string;
  labels: string[];
  cancelRequested: boolean;
  /** Step the runner named last. */
  nodeId: string | null;
  stepStarted: boolean;
}

async function finalState(
  deps: LeaseDeps,
  lease: LeaseRow,
  attempts: number,
  isFree: boolean,
): Promise<{ state: 'failed' | 'cancelled'; error: RunError | null } | null> {
  if (lease.cancelRequested) return { state: 'cancelled', error: null };
  if (isFree) return null;
  if (attempts >= deps.timing.attempts) {
    return failed('attempts_used_up', `The run was given to runners ${attempts} times and none finished it.`);
  }
  if (lease.onRedelivery === 'fail') {
    return failed('not_redelivered', 'The runner was lost, and this run is not to be delivered again.');
  }
  if (lease.onRedelivery === 'auto' && lease.stepStarted && (await sideEffectsStarted(deps, lease))) {
    return failed(
      'not_redelivered',
      'The runner was lost after a step with side effects had started, so the run is not delivered again.',
    );
  }
  return null;
}

function failed(code: string, message: string): { state: 'failed'; error: RunError } {
  return { state: 'failed', error: { code, message } };
}

async function sideEffectsStarted({ db, events }: LeaseDeps, { runId, nodeId }: LeaseRow): Promise<boolean> {
  const started = await startedNodes(events, runId);
  if (nodeId !== null) started.add(nodeId);
  const rows = await rowsOf<{ id: string; type: string }>(
    db,
    sql`
      select n->>'id' as id, n->>'type' as type
      from public.runs r cross join lateral jsonb_array_elements(r.snapshot_nodes) n where r.id = ${runId}::uuid`,
  );
  const types = new Map(rows.map(({ id, type }) => [id, nodeTypeNamed(type)]));
  // A log that has forgotten the run cannot say that nothing had begun.
  if (started.size === 0) return true;
  return [...started].some((nodeId) => {
    const known = types.get(nodeId) ?? null;
    return known === null || nodeTypes[known].hasSideEffects;
  });
}

async function startedNodes(events: EventLog, runId: string): Promise<Set<string>> {
  const nodeIds = new Set<string>();
  for (const log of events.late === undefined ? [events] : [events.late, events]) {
    for await (const update of updatesAfter(log, runId, fromTheFirst)) {
      if (update.type === 'step_start') nodeIds.add(update.nodeId);
    }
  }
  return nodeIds;
}

function endReason({ reason, detail }: AttemptEnd): string {
  return detail === undefined || detail === '' ? reason : `${reason}: ${detail}`;
}
