import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  customType,
  index,
  integer,
  jsonb,
  pgSchema,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type {
  Capabilities,
  Host,
  onRedeliveryModes,
  runnerModes,
  runnerStates,
} from '../../protocol/messages.ts';
import type { RunError } from '../../protocol/run-result.ts';
import type { LeaseState } from './lease-state.ts';

// The bridge's own tables. After a change: npx drizzle-kit generate (drizzle.config.ts). The table `runs` belongs to the
// backend and stands in runs-table.ts.

const qualinet = pgSchema('qualinet');
const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });

/** Everything that may take runs, once paired or enrolled. */
export const runners = qualinet.table('runners', {
  id: uuid('id').primaryKey(),
  name: text('name').notNull(),
  state: text('state').$type<(typeof runnerStates)[number]>().notNull(),
  workspace: text('workspace').notNull(),
  labels: text('labels').array().notNull(),
  mode: text('mode').$type<(typeof runnerModes)[number]>().notNull(),
  host: jsonb('host').$type<Host>().notNull(),
  checkWord: text('check_word').notNull(),
  draining: boolean('draining').notNull().default(false),
  /** X25519 public key of the pairing; null for an enrolled runner, which derives its key itself. */
  publicKey: text('public_key'),
  /** SHA-256 of the claim token, hex. */
  claimTokenHash: text('claim_token_hash'),
  pairingExpiresAt: instant('pairing_expires_at'),
  createdAt: instant('created_at').notNull(),
  approvedAt: instant('approved_at'),
  lastSeenAt: instant('last_seen_at'),
  capabilities: jsonb('capabilities').$type<Capabilities>(),
});

/** State of every generation of a runner's key; the keys themselves are derived and stored nowhere. */
export const runnerKeys = qualinet.table(
  'runner_keys',
  {
    runnerId: uuid('runner_id')
      .notNull()
      .references(() => runners.id, { onDelete: 'cascade' }),
    generation: integer('generation').notNull(),
    notBefore: instant('not_before').notNull(),
    notAfter: instant('not_after').notNull(),
    firstUsedAt: instant('first_used_at'),
    /** Tells of which WORKER_SECRET it was made or used with last, should that be replaced; null before this was noted. */
    secretMark: text('secret_mark'),
  },
  (table) => [primaryKey({ columns: [table.runnerId, table.generation] })],
);

/** Pairing codes, as HMAC only. */
export const pairingCodes = qualinet.table(
  'pairing_codes',
  {
    id: uuid('id').primaryKey(),
    codeHmac: text('code_hmac').notNull(),
    workspace: text('workspace').notNull(),
    labels: text('labels').array().notNull(),
    autoApprove: boolean('auto_approve').notNull(),
    managed: boolean('managed').notNull(),
    createdAt: instant('created_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
    usedAt: instant('used_at'),
  },
  (table) => [index('pairing_codes_live').on(table.codeHmac).where(sql`used_at is null`)],
);

/** Refused pairing codes of the last minutes, for the limits on guessing. */
export const wrongGuesses = qualinet.table(
  'wrong_guesses',
  { id: uuid('id').primaryKey(), address: text('address').notNull(), at: instant('at').notNull() },
  (table) => [index('wrong_guesses_at').on(table.at)],
);

/** One row for each run: its place in the queue, who has it, and how it ended. The row is the state. */
export const leases = qualinet.table(
  'leases',
  {
    id: uuid('id').primaryKey(),
    runId: uuid('run_id').notNull(),
    workspace: text('workspace').notNull(),
    labels: text('labels').array().notNull(),
    priority: integer('priority').notNull(),
    /** Order of arrival, for runs queued within the same millisecond. */
    position: bigint('position', { mode: 'number' }).generatedAlwaysAsIdentity().notNull(),
    name: text('name'),
    variables: jsonb('variables').$type<Record<string, string>>().notNull(),
    onRedelivery: text('on_redelivery').$type<(typeof onRedeliveryModes)[number]>().notNull(),
    state: text('state').$type<LeaseState>().notNull(),
    fence: integer('fence').notNull().default(0),
    /** Attempts begun: grants that were acknowledged and not handed back before a step started. */
    attempts: integer('attempts').notNull().default(0),
    /** Times the run was handed back without using up an attempt. */
    handbacks: integer('handbacks').notNull().default(0),
    lastEndReason: text('last_end_reason'),
    runnerId: uuid('runner_id'),
    /** Step the runner named last, null between steps. */
    nodeId: text('node_id'),
    /** Highest number stored of the events of this fence. */
    lastSeq: integer('last_seq').notNull().default(0),
    queuedAt: instant('queued_at').notNull(),
    availableAt: instant('available_at').notNull(),
    offeredUntil: instant('offered_until'),
    startedAt: instant('started_at'),
    expiresAt: instant('expires_at'),
    deadlineAt: instant('deadline_at'),
    endedAt: instant('ended_at'),
    cancelRequestedAt: instant('cancel_requested_at'),
    /** Who released last, under which fence: a repeated release gets the same answer. */
    releasedBy: uuid('released_by'),
    releasedFence: integer('released_fence'),
    error: jsonb('error').$type<RunError>(),
    /** The run is over and `run_complete` may not have been told; a sweep sees to it. */
    untold: boolean('untold').notNull().default(false),
    /** The BullMQ queue and job the run came by; null for a run of the operators' API. */
    queue: text('queue'),
    jobId: text('job_id'),
    /** W3C `traceparent` of whoever queued the run. */
    traceParent: text('trace_parent'),
  },
  (table) => [
    uniqueIndex('leases_run').on(table.runId),
    index('leases_ready')
      .on(table.workspace, table.priority.desc(), table.queuedAt, table.position)
      .where(sql`state = 'ready'`),
    index('leases_held').on(table.state).where(sql`state in ('offered', 'leased')`),
    index('leases_newest').on(table.queuedAt.desc()),
    index('leases_untold').on(table.endedAt).where(sql`untold`),
  ],
);

/** Updates of runs, in the embedded default; several bridges keep them in Redis. */
export const runEvents = qualinet.table(
  'run_events',
  {
    runId: uuid('run_id').notNull(),
    fence: integer('fence').notNull(),
    seq: integer('seq').notNull(),
    at: instant('at').notNull(),
    event: jsonb('event').$type<Record<string, unknown>>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.fence, table.seq] })],
);

/** Pictures a runner was given a URL for. */
export const uploads = qualinet.table(
  'uploads',
  {
    key: text('key').primaryKey(),
    runId: uuid('run_id').notNull(),
    fence: integer('fence').notNull(),
    nodeId: text('node_id').notNull(),
    contentType: text('content_type').notNull(),
    bytes: integer('bytes').notNull(),
    sha256: text('sha256').notNull(),
    publicUrl: text('public_url').notNull(),
    requestedAt: instant('requested_at').notNull(),
  },
  (table) => [index('uploads_run').on(table.runId)],
);

/** Pictures of bridges that have neither a bucket nor a folder to themselves. */
export const blobs = qualinet.table('blobs', {
  key: text('key').primaryKey(),
  content: bytea('content').notNull(),
  storedAt: instant('stored_at').notNull(),
});

/** When work that any bridge may do was done last. */
export const marks = qualinet.table('marks', {
  name: text('name').primaryKey(),
  at: instant('at').notNull(),
});
