import { z } from 'zod';
import {
  labelsSchema,
  onRedeliveryModes,
  prioritySchema,
  variablesSchema,
  workspaceSchema,
} from '../../protocol/messages.ts';
import { traceParentOf } from './trace-parent.ts';

/** What a job says about its run. Fields of the backend's own beside these are passed over. */
export interface JobData {
  runId: string;
  workspace: string;
  labels: string[];
  /** Higher runs first, as everywhere in our own table. */
  priority: number;
  variables: Record<string, string>;
  onRedelivery: (typeof onRedeliveryModes)[number];
  /** W3C `traceparent` of whoever added the job; null when it gave none. */
  traceParent: string | null;
}

/** A job's data, or why they cannot be used; then with the run's id where that much can be read. */
export type ReadJobData = { ok: true; data: JobData } | { ok: false; reason: string; runId: string | null };

// The database writes ids in lower case, and so does every hint.
const runIdSchema = z.uuid('must be a UUID').transform((id) => id.toLowerCase());
// What the database cannot keep: U+0000, and halves of characters.
const isStorable = (values: Record<string, string>) =>
  !Object.values(values).some((value) => /\0|\p{Surrogate}/u.test(value));

const jobDataSchema = z.object(
  {
    runId: runIdSchema,
    workspace: workspaceSchema.default('default'),
    labels: labelsSchema.default([]),
    priority: prioritySchema.optional(),
    variables: variablesSchema
      .refine(isStorable, 'must not contain the character U+0000 or halves of characters')
      .default({}),
    onRedelivery: z.enum(onRedeliveryModes).default('rerun'),
  },
  'must be an object like { "runId": "…" }',
);

/** Reads what BullMQ gives of a job. */
export function readJobData(job: {
  data: unknown;
  opts: { priority?: number; telemetry?: { metadata?: string } };
}): ReadJobData {
  const parsed = jobDataSchema.safeParse(job.data);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'data'}: ${message}`);
    const runId = runIdSchema.safeParse(Reflect.get(Object(job.data), 'runId'));
    return { ok: false, reason: `the job's data are wrong: ${faults.join('; ')}`, runId: runId.data ?? null };
  }
  const { priority = priorityOf(job.opts.priority ?? 0), ...data } = parsed.data;
  return { ok: true, data: { ...data, priority, traceParent: traceParentOf(job) } };
}

/** Priorities that keep their number; the rest of BullMQ's shares the hundred below them. */
const exact = 900;
/** BullMQ's highest number, its last in order. */
const highest = 2 ** 21 - 1;

/**
 * Our priority for one of BullMQ's, so that its order is kept: there 0 (none) runs before 1, and 1 before 2; here higher
 * runs first.
 */
function priorityOf(priority: number): number {
  if (priority <= exact) return priority === 0 ? 0 : -priority;
  return -exact - Math.min(100, Math.ceil((100 * Math.log(priority / exact)) / Math.log(highest / exact)));
}
