import type * as z from 'zod';
import { limits } from './limits.ts';
import * as m from './messages.ts';
import type { ProblemCode } from './problem.ts';
import { whyResponse } from './why-messages.ts';

/**
 * How a request proves who sends it.
 * - `none`: not at all.
 * - `runner`: signed with a runner's key (`rk1.<runnerId>.<generation>`); requests and answers.
 * - `enrol`: signed with the enrolment key that WORKER_SECRET and the runner's id give (`ws1.<runnerId>`).
 * - `managed`: signed with the key that QUALINET_MANAGED_PAIR_SECRET gives (`mp1`).
 * - `operator`: `Authorization: Bearer <QUALINET_ADMIN_TOKEN>`.
 * - `operator-or-near`: as `operator`, or without a token from a loopback or private address, directly: neither a header nor HTTP/1.0 says that a
 *   proxy stands between.
 * - `presigned`: the query of the URL itself is signed by the bridge.
 */
export type RouteAuth =
  | 'none'
  | 'runner'
  | 'enrol'
  | 'managed'
  | 'operator'
  | 'operator-or-near'
  | 'presigned';

/** One line of the table. `path` has `:name` parameters; all of those are UUIDs except the rest parameter `*`. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly auth: RouteAuth;
  readonly summary: string;
  readonly query?: z.ZodType;
  readonly request?: z.ZodType;
  /** The body of the 200 answer; `events` is text/event-stream, `bytes` a file, `text` anything readable. */
  readonly response: z.ZodType | 'events' | 'bytes' | 'text';
  readonly bodyLimitBytes?: number;
  /** A revoked runner is heard, too: it gives back what it still has. */
  readonly isOpenToRevoked?: boolean;
  /** Problems of this route's own; those of its `auth` and malformed_request, body_too_large, internal, unavailable come on top. */
  readonly problems?: readonly ProblemCode[];
}

/**
 * THE table of the wire. The bridge registers its handlers from it, the runner's client is made from it, and
 * `/openapi.json` and docs/protocol.md are generated from it.
 *
 * The life of a lease: a run waits `ready`. A poll with free slots is answered with a lease (`offered`, the fence grows
 * by one). The first heartbeat within `offerMs` makes it `leased` and the run `running`; without it the run is `ready`
 * again. While it executes, the runner heartbeats every `heartbeatMs`; each one extends the lease by `ttlMs` and brings
 * back orders. It posts events, numbered from 1 within the fence, and asks for an upload URL when a step fails. The
 * result ends it: `done`. A runner that cannot go on releases the lease. A lease that is not renewed is granted again,
 * with a higher fence, `ttlMs` plus 15 s after its last heartbeat. Every request about a lease names `leaseId` (path) and
 * `fence` (body); a stale fence gets 409 `lease_lost` and changes nothing; the same request again gets the same answer.
 */
export const routes = {
  // pairing
  redeemCode: {
    method: 'POST',
    path: '/v1/pairings',
    auth: 'none',
    summary: 'Redeem a pairing code: makes a pending runner that an operator approves',
    request: m.redeemRequest,
    response: m.redeemResponse,
    bodyLimitBytes: limits.smallBodyBytes,
    problems: ['pairing_code_refused', 'too_many_attempts'],
  },
  redeemManagedCode: {
    method: 'POST',
    path: '/v1/pairings/managed',
    auth: 'managed',
    summary: 'Redeem a managed pairing code, proving knowledge of the managed pairing secret',
    request: m.redeemRequest,
    response: m.redeemResponse,
    bodyLimitBytes: limits.smallBodyBytes,
    problems: ['pairing_code_refused', 'too_many_attempts', 'not_allowed'],
  },
  claimCredentials: {
    method: 'POST',
    path: '/v1/pairings/claim',
    auth: 'none',
    summary: 'Ask whether the runner was approved, and fetch its wrapped key when it was',
    request: m.claimRequest,
    response: m.claimResponse,
    bodyLimitBytes: limits.smallBodyBytes,
    problems: ['pairing_denied', 'pairing_expired', 'not_found'],
  },
  enrol: {
    method: 'POST',
    path: '/v1/runners/enrol',
    auth: 'enrol',
    summary: "Make an operator's own container a runner without a code",
    request: m.enrolRequest,
    response: m.enrolResponse,
    bodyLimitBytes: limits.smallBodyBytes,
    problems: ['credential_revoked'],
  },

  // a runner about itself
  runnerSelf: {
    method: 'GET',
    path: '/v1/runners/self',
    auth: 'runner',
    summary: 'What the bridge knows of this runner',
    response: m.runnerSelfResponse,
  },
  retireSelf: {
    method: 'DELETE',
    path: '/v1/runners/self',
    auth: 'runner',
    summary: 'Revoke the own credentials (`qualinet unpair`)',
    response: m.doneResponse,
  },
  rotateCredentials: {
    method: 'POST',
    path: '/v1/credentials/rotate',
    auth: 'runner',
    summary: 'Get the key of the next generation; the old one ends soon after the first use of the new one',
    request: m.rotateRequest,
    response: m.rotateResponse,
    bodyLimitBytes: limits.smallBodyBytes,
  },
  control: {
    method: 'GET',
    path: '/v1/control',
    auth: 'runner',
    summary: 'Wake-up hints: `poll`, or `heartbeat` with a lease id. Hints are not signed and decide nothing',
    response: 'events',
  },

  // leases
  pollLeases: {
    method: 'POST',
    path: '/v1/leases/poll',
    auth: 'runner',
    summary: 'Wait for up to `slots` leases',
    request: m.pollRequest,
    response: m.pollResponse,
    bodyLimitBytes: limits.smallBodyBytes,
    problems: ['upgrade_required'],
  },
  heartbeat: {
    method: 'POST',
    path: '/v1/leases/:leaseId/heartbeat',
    auth: 'runner',
    summary: 'Take the offered lease, then keep it; brings back orders',
    request: m.heartbeatRequest,
    response: m.heartbeatResponse,
    bodyLimitBytes: limits.smallBodyBytes,
    problems: ['lease_lost'],
  },
  releaseLease: {
    method: 'POST',
    path: '/v1/leases/:leaseId/release',
    auth: 'runner',
    summary: 'Hand the run back unfinished; the one thing that a revoked runner may still do',
    isOpenToRevoked: true,
    request: m.releaseRequest,
    response: m.doneResponse,
    bodyLimitBytes: limits.smallBodyBytes,
    problems: ['lease_lost'],
  },
  postEvents: {
    method: 'POST',
    path: '/v1/leases/:leaseId/events',
    auth: 'runner',
    summary: 'Step events, numbered from 1 within the fence, in order',
    request: m.eventsRequest,
    response: m.eventsResponse,
    problems: ['lease_lost'],
  },
  requestUpload: {
    method: 'POST',
    path: '/v1/leases/:leaseId/uploads',
    auth: 'runner',
    summary: 'Get a URL for the PUT of exactly one picture',
    request: m.uploadRequest,
    response: m.uploadResponse,
    bodyLimitBytes: limits.smallBodyBytes,
    problems: ['lease_lost', 'artifact_refused'],
  },
  postResult: {
    method: 'POST',
    path: '/v1/leases/:leaseId/result',
    auth: 'runner',
    summary: 'End the run; written once, repeating it changes nothing and answers the same',
    request: m.resultRequest,
    response: m.resultResponse,
    bodyLimitBytes: 4 * limits.flowBytes,
    problems: ['lease_lost'],
  },

  // pictures of the embedded default
  putBlob: {
    method: 'PUT',
    path: '/v1/blobs/*',
    auth: 'presigned',
    summary: 'Store the picture this URL was signed for',
    response: m.doneResponse,
    bodyLimitBytes: limits.artifactBytes,
    problems: ['not_allowed', 'artifact_refused'],
  },
  getBlob: {
    method: 'GET',
    path: '/v1/blobs/*',
    auth: 'none',
    summary: 'Read a picture; its path holds the hash of its content and cannot be guessed',
    response: 'bytes',
    problems: ['not_found'],
  },

  // operators
  createCode: {
    method: 'POST',
    path: '/v1/codes',
    auth: 'operator',
    summary: 'Make a pairing code',
    request: m.createCodeRequest,
    response: m.createCodeResponse,
    bodyLimitBytes: limits.smallBodyBytes,
    problems: ['too_many_attempts', 'not_allowed'],
  },
  listRunners: {
    method: 'GET',
    path: '/v1/runners',
    auth: 'operator',
    summary: 'All runners',
    response: m.runnersResponse,
  },
  decideRunner: {
    method: 'POST',
    path: '/v1/runners/:runnerId/decision',
    auth: 'operator',
    summary: 'Approve or deny a pending runner',
    request: m.approveRequest,
    response: m.runnerView,
    bodyLimitBytes: limits.smallBodyBytes,
    problems: ['not_found'],
  },
  drainRunner: {
    method: 'POST',
    path: '/v1/runners/:runnerId/drain',
    auth: 'operator',
    summary: 'Give this runner no further runs, or end that',
    request: m.drainRequest,
    response: m.runnerView,
    bodyLimitBytes: limits.smallBodyBytes,
    problems: ['not_found'],
  },
  revokeRunner: {
    method: 'DELETE',
    path: '/v1/runners/:runnerId',
    auth: 'operator',
    summary: 'Revoke a runner: its keys end now',
    response: m.runnerView,
    problems: ['not_found'],
  },
  submitRun: {
    method: 'POST',
    path: '/v1/runs',
    auth: 'operator',
    summary: 'Queue a flow',
    request: m.submitRequest,
    response: m.submitResponse,
    // A flow of the full size, and what else is said about the run.
    bodyLimitBytes: limits.flowBytes + limits.smallBodyBytes,
    problems: ['flow_invalid'],
  },
  listRuns: {
    method: 'GET',
    path: '/v1/runs',
    auth: 'operator',
    summary: 'The newest runs first',
    query: m.runsQuery,
    response: m.runsResponse,
  },
  readRun: {
    method: 'GET',
    path: '/v1/runs/:runId',
    auth: 'operator',
    summary: 'One run with its result',
    response: m.runView,
    problems: ['not_found'],
  },
  explainRun: {
    method: 'GET',
    path: '/v1/runs/:runId/why',
    auth: 'operator',
    summary: 'Why a run waits: what each runner of its workspace lacks to take it',
    response: whyResponse,
    problems: ['not_found'],
  },
  cancelRun: {
    method: 'POST',
    path: '/v1/runs/:runId/cancel',
    auth: 'operator',
    summary: 'End a run: at once while it waits, within 5 s while it executes',
    response: m.runView,
    problems: ['not_found'],
  },
  followRun: {
    method: 'GET',
    path: '/v1/runs/:runId/events',
    auth: 'operator',
    summary:
      'All events of a run from the first, then live, until `run_complete`; `Last-Event-ID` resumes without a gap',
    response: 'events',
    problems: ['not_found'],
  },

  // the bridge itself
  health: { method: 'GET', path: '/healthz', auth: 'none', summary: 'The process answers', response: 'text' },
  ready: {
    method: 'GET',
    path: '/readyz',
    auth: 'none',
    summary:
      'Everything the bridge needs works, each named: PostgreSQL, and Redis and the intake where it has them',
    response: 'text',
    problems: ['unavailable'],
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    auth: 'operator-or-near',
    summary: "Numbers about this bridge and about all runs and runners, in Prometheus' text format",
    response: 'text',
  },
  openapi: {
    method: 'GET',
    path: '/openapi.json',
    auth: 'none',
    summary: 'This table as OpenAPI 3.1',
    response: 'text',
  },
} as const satisfies Record<string, Route>;

export type Routes = typeof routes;
export type RouteName = keyof Routes;

/** The request body a route takes, as the sender writes it. */
export type RequestOf<Name extends RouteName> = Routes[Name] extends {
  request: infer Schema extends z.ZodType;
}
  ? z.input<Schema>
  : undefined;

/** The body of a route's 200 answer; void for streams and files. */
export type ResponseOf<Name extends RouteName> = Routes[Name]['response'] extends infer Schema
  ? Schema extends z.ZodType
    ? z.output<Schema>
    : undefined
  : never;

/** The path of a route with its parameters filled in, percent-encoded. Throws when one is missing. */
export function routePath(name: RouteName, parameters: Readonly<Record<string, string>> = {}): string {
  return routes[name].path.replace(/:(\w+)/g, (_, key: string) => {
    const value = parameters[key];
    if (value === undefined) throw new Error(`route ${name} needs the parameter ${key}`);
    return encodeURIComponent(value);
  });
}

/** Body limit of a route in bytes: its own, else the size of a flow. */
export function bodyLimitOf(name: RouteName): number {
  const route: Route = routes[name];
  return route.bodyLimitBytes ?? limits.flowBytes;
}
