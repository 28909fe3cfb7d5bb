import * as z from 'zod';
import { printable } from '../../lib/printable.ts';
import {
  labelsSchema,
  onRedeliveryModes,
  prioritySchema,
  variablesSchema,
  workspaceSchema,
} from '../../protocol/messages.ts';
import { storableText } from '../storable.ts';
import { traceParentOf } from './job-trace-parent.ts';

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
const areStorable = (values: Record<string, string>) =>
  Object.values(values).every((value) => storableText(value) === value);
/** Faults that a reason names. */
const faultsShown = 10;

const jobDataSchema = z.object(
  {
    runId: runIdSchema,
    workspace: workspaceSchema.default('default'),
    labels: labelsSchema.default([]),
    priority: prioritySchema.optional(),
    variables: variablesSchema
      .refine(areStorable, 'must contain neither the character U+0000 nor half a surrogate pair')
      .default({}),
    onRedelivery: z.enum(onRedeliveryModes).default('rerun'),
  },
  'must be an object like { "runId": "…" }',
);

/** What a job says that names nothing but its run. */
export function plainJobData(runId: string): JobData {
  return { ...jobDataSchema.parse({ runId }), priority: 0, traceParent: null };
}

/** Reads what BullMQ gives of a job. */
export function readJobData(job: {
  data: unknown;
  opts: { priority?: number; telemetry?: { metadata?: string } };
}): ReadJobData {
  const parsed = jobDataSchema.safeParse(job.data);
  if (!parsed.success) {
    const { issues } = parsed.error;
    const faults = issues.slice(0, faultsShown).map(({ path, message }) => {
      // Names of fields come from the data, too.
      const field = storableText(printable(path.join('.'))).slice(0, 200);
      return `${field || 'data'}: ${message}`;
    });
    if (issues.length > faultsShown) faults.push(`and ${issues.length - faultsShown} more`);
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
