import * as z from 'zod';
import { isoTime, labelsSchema, name, runnerStates, uuid } from './messages.ts';

// The answer to why a run waits.

const whyStates = ['waiting', 'offered', 'running', 'over'] as const;

const lackSchema = z.discriminatedUnion('what', [
  z.object({ what: z.literal('not_approved'), state: z.enum(runnerStates) }),
  z.object({ what: z.literal('labels'), missing: labelsSchema }),
  z.object({ what: z.literal('too_old'), protocol: z.number().int(), needs: z.number().int() }),
  z.object({ what: z.literal('offline'), lastSeenAt: isoTime.nullable() }),
  z.object({ what: z.literal('draining') }),
  z.object({
    what: z.literal('full'),
    holds: z.number().int().positive(),
    concurrency: z.number().int().positive(),
    /** Until the first of its runs should end, judged by how long such runs took; null when none is known. */
    freeInMs: z.number().int().nonnegative().nullable(),
    /** Until the bridge ends the first of its runs, whatever happens. */
    freeAtMostMs: z.number().int().nonnegative(),
  }),
]);
/** Something a runner lacks to take a run. */
export type Lack = z.infer<typeof lackSchema>;

export const whyResponse = z.object({
  runId: uuid,
  /** As the row says it; a backend may have words of its own. */
  status: z.string(),
  state: z.enum(whyStates),
  /** The answer in a sentence or two. */
  summary: z.string(),
  /** Null for a run that does not wait, or waits where bridges do not see it yet. */
  waitingSince: isoTime.nullable(),
  waitedMs: z.number().int().nonnegative().nullable(),
  /** When it is given out again, after a runner could not start it; null when it could be now. */
  availableAt: isoTime.nullable(),
  /** Runs of its workspace that come first and that runners of this run could take as well. */
  ahead: z.number().int().nonnegative(),
  /** Why the attempt before this one ended, null for the first. */
  lastEndReason: z.string().nullable(),
  /** Runners of its workspace, those that come closest to taking it first; empty for a run that does not wait. */
  runners: z.array(z.object({ runnerId: uuid, name, lacks: z.array(lackSchema), canTake: z.boolean() })),
  /** Further runners of the workspace that are not listed. */
  moreRunners: z.number().int().nonnegative(),
});
export type WhyResponse = z.infer<typeof whyResponse>;
