import type * as z from 'zod';
import { releaseReasons, type releaseRequest } from '../../protocol/messages.ts';
import type { Dispatcher } from '../dispatch.ts';
import { appendEvents } from '../leases/append-events.ts';
import { keepLease } from '../leases/keep-lease.ts';
import type { LeaseDeps } from '../leases/lease-deps.ts';
import { releaseLease } from '../leases/release-lease.ts';
import { settleByResult } from '../leases/settle-run.ts';
import type { Presigner } from '../pictures/presigner.ts';
import { requestUpload } from '../pictures/request-upload.ts';
import { withOwnScreenshotsOnly } from '../pictures/screenshots.ts';
import { ProblemError } from '../problem-error.ts';
import type { RunnerCaller } from '../runners/runner-keys.ts';
import type { SeenNotes } from '../runners/seen-notes.ts';
import { type EndOfVersions, requireServed } from '../runners/served-versions.ts';
import type { Handlers } from './handler.ts';

type LeaseRouteDeps = LeaseDeps & {
  dispatcher: Dispatcher;
  presigner: Presigner;
  seen: SeenNotes;
  endOfVersions: EndOfVersions | null;
  nowMs: () => number;
};

/** Routes about leases: the runner's side of a run. */
export function leaseRoutes(
  deps: LeaseRouteDeps,
): Pick<
  Handlers,
  'pollLeases' | 'heartbeat' | 'releaseLease' | 'postEvents' | 'requestUpload' | 'postResult'
> {
  const { dispatcher, timing, presigner, seen, endOfVersions, nowMs } = deps;
  return {
    async pollLeases({ body, caller, gone }) {
      const { slots, waitMs, capabilities } = body;
      // Also of one that is refused: operators ask why it takes no runs.
      seen.note(caller.runnerId, capabilities);
      const notice = requireServed(capabilities, endOfVersions, nowMs());
      const boundMs = caller.draining ? Math.min(waitMs, timing.drainingPollMs) : waitMs;
      const leases = await dispatcher.poll({ runner: caller, slots, waitMs: boundMs, gone });
      return { leases, orders: ordersFor(caller), ...(notice === null ? {} : { notice }) };
    },
    async heartbeat({ body, params, caller }) {
      const { runnerId } = caller;
      const held = { leaseId: params.leaseId, fence: body.fence, runnerId };
      const kept = orLost(await keepLease(deps, held, body.nodeId));
      const orders = [...(kept.cancelRequested ? ['cancel'] : []), ...ordersFor(caller)];
      return { ttlMs: timing.leaseTtlMs, remainingMs: kept.remainingMs, orders };
    },
    async releaseLease({ body, params, caller }) {
      const held = { leaseId: params.leaseId, fence: body.fence, runnerId: caller.runnerId };
      if (!(await releaseLease(deps, held, knownRelease(body)))) throw leaseLost();
      return { done: true };
    },
    async postEvents({ body, params, caller }) {
      requireConsecutive('events', body.events);
      const held = { leaseId: params.leaseId, fence: body.fence, runnerId: caller.runnerId };
      return { ackedSeq: orLost(await appendEvents(deps, held, body.events)) };
    },
    async requestUpload({ body, params, caller }) {
      const put = orLost(await requestUpload(deps, presigner, params.leaseId, caller.runnerId, body));
      const { url, headers, publicUrl, expiresAtMs } = put;
      return { method: 'PUT', url, headers, publicUrl, expiresAt: new Date(expiresAtMs).toISOString() };
    },
    async postResult({ body, params, caller }) {
      const held = { leaseId: params.leaseId, fence: body.fence, runnerId: caller.runnerId };
      const { lastEvents = [] } = body;
      requireConsecutive('lastEvents', lastEvents);
      if (lastEvents.length > 0) {
        const ackedSeq = orLost(await appendEvents(deps, held, lastEvents));
        if (ackedSeq < (lastEvents.at(-1)?.seq ?? 0)) {
          throw malformed('lastEvents', `events from ${ackedSeq + 1} on are missing before them`);
        }
      }
      const result = await withOwnScreenshotsOnly(deps.db, params.leaseId, body.result);
      return { status: orLost(await settleByResult(deps, held, result)) };
    },
  };
}

/** What the bridge wants of a runner, whatever it runs. */
function ordersFor({ draining, mustRotate }: RunnerCaller): string[] {
  return [...(draining ? ['drain'] : []), ...(mustRotate ? ['rotate'] : [])];
}

/** A release as this version judges it: a reason that only a newer runner knows uses up an attempt, as an interruption does. */
function knownRelease({ reason, detail }: z.output<typeof releaseRequest>): {
  reason: (typeof releaseReasons)[number];
  detail?: string | undefined;
} {
  const known = releaseReasons.find((each) => each === reason);
  if (known !== undefined) return { reason: known, detail };
  return { reason: 'interrupted', detail: detail === undefined ? reason : `${reason}: ${detail}` };
}

/** The value, or `lease_lost`: the same for a stale fence, another runner's lease and one that does not exist. */
function orLost<T>(value: T | null): T {
  if (value === null) throw leaseLost();
  return value;
}

function requireConsecutive(path: string, events: readonly { seq: number }[]): void {
  const first = events[0]?.seq ?? 1;
  if (events.some(({ seq }, index) => seq !== first + index)) {
    throw malformed(path, 'must be numbered one after the other');
  }
}

function malformed(path: string, message: string): ProblemError {
  return new ProblemError('malformed_request', { errors: [{ path, message }] });
}

function leaseLost(): ProblemError {
  return new ProblemError('lease_lost');
}
