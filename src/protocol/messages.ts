import * as z from 'zod';
import { variableName } from '../lib/variable-name.ts';
import { limits } from './limits.ts';
import {
  numberedEventSchema,
  runErrorSchema,
  runResultSchema,
  runStatuses,
  stepResultSchema,
} from './run-result.ts';

// Bodies of the routes in routes.ts, in the order a runner meets them. What runner and bridge say to each other is open, at
// every depth: fields that a newer side adds are left out, known ones are checked in full. Requests of operators are strict:
// an unknown field there is a mistake, and is refused by name.

export const uuid = z.uuid();
export const name = z.string().min(1).max(200);
/** Raw bytes as base64url without padding. */
const base64url = (bytes: number) =>
  z
    .string()
    .regex(
      new RegExp(`^[A-Za-z0-9_-]{${Math.ceil((bytes * 4) / 3)}}$`),
      `must be ${bytes} bytes as base64url`,
    );
export const isoTime = z.iso.datetime();

export const workspaceSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'must be 1 to 63 of a-z, 0-9, _ and -, not starting with _ or -');
/** Labels of a code and of a runner add up, so that a runner may have twice as many as either can bring. */
export const labelsSchema = z.array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,62}$/)).max(64);
const ownLabels = labelsSchema.max(32);
const pairingCodeSchema = z.string().regex(/^\d{6}$/, 'must be 6 digits');
export const variablesSchema = z.record(z.string().regex(variableName), z.string().max(100_000));

/** A flow as stored and leased: React Flow's nodes and edges, checked in depth by flow/, not here. */
export const flowSnapshotSchema = z.object({
  nodes: z.array(z.unknown()).max(10_000),
  edges: z.array(z.unknown()).max(20_000),
});
export type FlowSnapshot = z.infer<typeof flowSnapshotSchema>;

/** From `from` on, runners older than `minVersion` are refused. */
const noticeSchema = z.object({ minVersion: z.string(), from: isoTime });
export type Notice = z.infer<typeof noticeSchema>;

// --- pairing -------------------------------------------------------------------------------------------------------

/** What an operator sees of a runner before approving it. */
const hostSchema = z.object({
  hostname: z.string().max(255),
  platform: z.string().max(50),
  arch: z.string().max(50),
  osRelease: z.string().max(255),
  nodeVersion: z.string().max(50),
  qualinetVersion: z.string().max(50),
});
export type Host = z.infer<typeof hostSchema>;

export const redeemRequest = z.object({
  code: pairingCodeSchema,
  /** X25519 public key, under which the runner's key travels. */
  publicKey: base64url(32),
  host: hostSchema,
  name: name.optional(),
  labels: ownLabels.optional(),
});

export const redeemResponse = z.object({
  runnerId: uuid,
  /** 256 random bits; the only thing that lets this host fetch the credentials. */
  claimToken: base64url(32),
  /** Shown on both sides, so that the operator approves this host and no other. */
  checkWord: z.string(),
  workspace: workspaceSchema,
  pollAfterMs: z.number().int().positive(),
  expiresAt: isoTime,
});

export const claimRequest = z.object({ runnerId: uuid, claimToken: base64url(32) });

/** A key that only the holder of the X25519 private key can open (AES-256-GCM; the nonce is fresh for every answer). */
const wrappedKeySchema = z.object({
  publicKey: base64url(32),
  nonce: base64url(12),
  ciphertext: base64url(48),
});
export type WrappedKey = z.infer<typeof wrappedKeySchema>;

export const runnerModes = ['self-hosted', 'managed'] as const;

const issuedKey = {
  keyid: z.string(),
  generation: z.number().int().positive(),
  notBefore: isoTime,
  notAfter: isoTime,
  wrappedKey: wrappedKeySchema,
};

export const claimResponse = z.discriminatedUnion('state', [
  z.object({ state: z.literal('pending'), pollAfterMs: z.number().int().positive() }),
  z.object({
    state: z.literal('approved'),
    /** The bridge's PUBLIC_URL: requests are sent to and signed for this address. */
    apiBaseUrl: z.url(),
    name,
    workspace: workspaceSchema,
    labels: labelsSchema,
    mode: z.enum(runnerModes),
    ...issuedKey,
  }),
]);

/** Enrolment of an operator's own container that holds WORKER_SECRET: it derives its key, none is sent. */
export const enrolRequest = z.object({
  host: hostSchema,
  name: name.optional(),
  labels: ownLabels.optional(),
});
export const enrolResponse = z.object({
  runnerId: uuid,
  name,
  workspace: workspaceSchema,
  labels: labelsSchema,
  mode: z.enum(runnerModes),
  keyid: z.string(),
  generation: z.number().int().positive(),
  notBefore: isoTime,
  notAfter: isoTime,
});

// --- credentials ---------------------------------------------------------------------------------------------------

export const rotateRequest = z.object({ publicKey: base64url(32) });
export const rotateResponse = z.object(issuedKey);

export const runnerStates = ['pending', 'approved', 'denied', 'revoked'] as const;

export const runnerSelfResponse = z.object({
  runnerId: uuid,
  name,
  workspace: workspaceSchema,
  labels: labelsSchema,
  mode: z.enum(runnerModes),
  generation: z.number().int().positive(),
  notAfter: isoTime,
  draining: z.boolean(),
  /** What the operators have announced, whoever asks. */
  notice: noticeSchema.optional(),
});

export const doneResponse = z.object({ done: z.literal(true) });

// --- leases --------------------------------------------------------------------------------------------------------

const capabilitiesSchema = z.object({
  protocol: z.number().int().positive(),
  qualinetVersion: z.string().max(50),
  platform: z.string().max(50),
  arch: z.string().max(50),
  nodeVersion: z.string().max(50),
  concurrency: z.number().int().min(1).max(64),
  browser: z.object({
    kind: z.string().max(50),
    version: z.string().max(50).optional(),
    sandbox: z.boolean().optional(),
  }),
});
export type Capabilities = z.infer<typeof capabilitiesSchema>;

export const pollRequest = z.object({
  /** Runs this process can take now. */
  slots: z.number().int().min(1).max(64),
  waitMs: z.number().int().min(0).max(55_000),
  capabilities: capabilitiesSchema,
});

export const onRedeliveryModes = ['rerun', 'fail', 'auto'] as const;

const leaseSchema = z.object({
  leaseId: uuid,
  runId: uuid,
  fence: z.number().int().positive(),
  /** 1 for the first grant of this run. */
  attempt: z.number().int().positive(),
  ttlMs: z.number().int().positive(),
  heartbeatMs: z.number().int().positive(),
  /** The first heartbeat must come within this time, else the grant goes to somebody else. */
  offerMs: z.number().int().positive(),
  /** Time left until the bridge fails the run, whatever the runner says. */
  remainingMs: z.number().int().positive(),
  name: z.string().optional(),
  flow: flowSnapshotSchema,
  variables: variablesSchema,
  /** Whether the run starts again when this runner is lost, one of {@link onRedeliveryModes}; an older bridge does not say. */
  onRedelivery: z.string().optional(),
});
export type Lease = z.infer<typeof leaseSchema>;

/**
 * What the bridge wants of a runner. `drain`: take no further runs. `cancel`: end this run now. `rotate`: renew your key
 * soon. Others, of a newer bridge, are ignored.
 */
const orders = z.array(z.string());

export const pollResponse = z.object({
  leases: z.array(leaseSchema),
  orders,
  /** For a runner whose version will be refused. */
  notice: noticeSchema.optional(),
});

const fence = z.int32().positive();

export const heartbeatRequest = z.object({
  fence,
  /** The step being executed, null between steps. */
  nodeId: z.string().max(200).nullable(),
});
export const heartbeatResponse = z.object({
  ttlMs: z.number().int().positive(),
  remainingMs: z.number().int(),
  orders,
});

export const releaseReasons = ['draining', 'cannot_start', 'shutdown', 'interrupted'] as const;
export const releaseRequest = z.object({
  fence,
  /** One of {@link releaseReasons}, or a word of a newer runner. */
  reason: z.string().regex(/^[a-z][a-z0-9_]{0,49}$/, 'must be a word in lower case'),
  detail: z.string().max(limits.textLength).optional(),
});

export const eventsRequest = z.object({
  fence,
  events: z.array(numberedEventSchema).min(1).max(limits.eventsPerBatch),
});
/** Everything up to and including `ackedSeq` is stored; the runner goes on from the one after it. */
export const eventsResponse = z.object({ ackedSeq: z.number().int().nonnegative() });

export const artifactTypes = ['image/png', 'image/jpeg', 'image/webp'] as const;
export const uploadRequest = z.object({
  fence,
  nodeId: z.string().max(200),
  contentType: z.enum(artifactTypes),
  bytes: z.number().int().positive().max(limits.artifactBytes),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex'),
});
/** One PUT of exactly the declared object: `headers` must be sent as given, none of ours beside them. */
export const uploadResponse = z.object({
  method: z.literal('PUT'),
  url: z.url(),
  headers: z.record(z.string(), z.string()),
  /** What `screenshotUrl` becomes. */
  publicUrl: z.url(),
  expiresAt: isoTime,
});

export const resultRequest = z.object({
  fence,
  result: runResultSchema,
  /** The last events, stored before the result: they ride with it where a batch of their own would only cost time. */
  lastEvents: z.array(numberedEventSchema).max(limits.eventsPerBatch).optional(),
});
/** `status` is what the row says now: `failed` for a result after the deadline, whatever it said. */
export const resultResponse = z.object({ status: z.enum(runStatuses) });

// --- operators -----------------------------------------------------------------------------------------------------

export const createCodeRequest = z.strictObject({
  workspace: workspaceSchema.optional(),
  labels: ownLabels.optional(),
  autoApprove: z.boolean().optional(),
  managed: z.boolean().optional(),
  ttlMs: z.number().int().min(10_000).max(limits.pairingCodeMs).optional(),
});
export const createCodeResponse = z.object({
  code: pairingCodeSchema,
  workspace: workspaceSchema,
  labels: labelsSchema,
  autoApprove: z.boolean(),
  managed: z.boolean(),
  expiresAt: isoTime,
  /** PUBLIC_URL, for the command to print. */
  apiBaseUrl: z.url(),
});

export const runnerView = z.object({
  runnerId: uuid,
  name,
  state: z.enum(runnerStates),
  workspace: workspaceSchema,
  labels: labelsSchema,
  mode: z.enum(runnerModes),
  host: hostSchema,
  checkWord: z.string(),
  draining: z.boolean(),
  pairedAt: isoTime.nullable(),
  /** Its last poll or heartbeat. */
  lastSeenAt: isoTime.nullable(),
  /** Seen within the last minute. */
  online: z.boolean(),
  /** Runs it has been given and has not finished. */
  holds: z.number().int().nonnegative(),
  /** What it said with its last poll, null before the first. */
  capabilities: capabilitiesSchema.nullable(),
});
export const runnersResponse = z.object({
  runners: z.array(runnerView),
  /** Ids of those that are lost with WORKER_SECRET_PREVIOUS: their keys are not of WORKER_SECRET yet. */
  onPreviousSecret: z.array(uuid).optional(),
});
export const approveRequest = z.strictObject({ approve: z.boolean() });
export const drainRequest = z.strictObject({ drain: z.boolean() });

/** Higher runs first. */
export const prioritySchema = z.number().int().min(-1_000).max(1_000);

export const submitRequest = z.strictObject({
  name: name.optional(),
  nodes: flowSnapshotSchema.shape.nodes,
  edges: flowSnapshotSchema.shape.edges,
  variables: variablesSchema.optional(),
  workspace: workspaceSchema.optional(),
  labels: labelsSchema.optional(),
  priority: prioritySchema.optional(),
  onRedelivery: z.enum(onRedeliveryModes).optional(),
  /** The flow in the backend's own tables that this run counts to; needed where there is a backend. */
  flowId: uuid.optional(),
});
export type SubmitRequest = z.infer<typeof submitRequest>;

export const runView = z.object({
  runId: uuid,
  name: z.string().nullable(),
  status: z.enum(runStatuses),
  workspace: workspaceSchema,
  labels: labelsSchema,
  attempt: z.number().int().nonnegative(),
  /** Why the attempt before this one ended, null for the first. */
  lastEndReason: z.string().nullable(),
  runnerId: uuid.nullable(),
  queuedAt: isoTime,
  endedAt: isoTime.nullable(),
  durationMs: z.number().int().nullable(),
  stepsResult: z.array(stepResultSchema).nullable(),
  error: runErrorSchema.nullable(),
});
export type RunView = z.infer<typeof runView>;

export const submitResponse = z.object({ runId: uuid, status: z.enum(runStatuses) });
export const runsResponse = z.object({ runs: z.array(runView.omit({ stepsResult: true })) });
export const runsQuery = z.strictObject({
  status: z.enum(runStatuses).optional(),
  workspace: workspaceSchema.optional(),
  limit: z.coerce.number().int().min(1).max(500).optional(),
});
