import * as z from 'zod';
import { limits } from './limits.ts';

/** Why a step failed, for programs; `error` says it to people. */
const stepErrorKinds = [
  'not_found',
  'not_actionable',
  'timeout',
  'assertion',
  'navigation',
  'blocked',
  'invalid_data',
  'browser_crashed',
  'internal',
] as const;
export type StepErrorKind = (typeof stepErrorKinds)[number];

const text = z.string().max(limits.textLength);

/** A word of a newer runner that means nothing here: it is left out, and must not make a result undeliverable. Nobody here writes one. */
const unknownWord = z
  .string()
  .max(50)
  .transform(() => undefined) as unknown as z.ZodType<undefined, undefined>;

/** What one executed step left: an element of `stepsResult`. A step that was never started has none. */
export const stepResultSchema = z.object({
  nodeId: z.string().max(200),
  type: z.string().max(100),
  status: z.enum(['passed', 'failed']),
  durationMs: z.int32().nonnegative(),
  /** What was done, e.g. `Clicked #btn`. */
  logs: text.optional(),
  /** What went wrong; present exactly when `status` is `failed`. */
  error: text.optional(),
  errorKind: z.enum(stepErrorKinds).or(unknownWord).optional(),
  /** Where the picture of the failure is, or that of a `screenshot` step. */
  screenshotUrl: z.string().max(2_048).optional(),
  /** Why there is no picture where one belongs. */
  screenshotProblem: text.optional(),
  /** The fallback selector that was used because those before it matched nothing, and the order of selectors that would have found it first. */
  healed: z
    .object({ selector: text, insteadOf: text, proposed: z.array(text).max(60).optional() })
    .optional(),
  /** The variable an extract step set. */
  extracted: z.object({ variable: z.string().max(200), value: text }).optional(),
  /** True for a soft assertion that failed: the run went on, and failed at its end. */
  soft: z.boolean().optional(),
  /** How often the step was tried, where that was more than once. */
  attempts: z.int().min(2).max(100).optional(),
  /** In a loop: the round, counted from 1, of each loop around the step from the outside in. */
  rounds: z.array(z.int().positive()).max(50).optional(),
  /** What went wrong in the page during a step that failed. */
  observed: z
    .object({
      consoleErrors: z.array(text).max(50).optional(),
      failedRequests: z.array(text).max(50).optional(),
      pageErrors: z.array(text).max(50).optional(),
    })
    .optional(),
  /** A file that the page gave to save. */
  download: z.object({ fileName: z.string().max(1_000), bytes: z.number().nonnegative() }).optional(),
});
export type StepResult = z.infer<typeof stepResultSchema>;

/** Why a run ended without its steps deciding it. */
export const runErrorSchema = z.object({
  code: z.string().max(100),
  message: text,
  problems: z.array(text).max(1_000).optional(),
});
export type RunError = z.infer<typeof runErrorSchema>;

/** How a run ended, as the runner reports it and `qualinet run --json` prints it. */
export const runResultSchema = z.object({
  status: z.enum(['passed', 'failed', 'cancelled']),
  durationMs: z.int32().nonnegative(),
  stepsResult: z.array(stepResultSchema).max(limits.steps),
  /** Present when something other than a step ended the run: an invalid flow, a browser that cannot start, a cancel. */
  error: runErrorSchema.optional(),
});
export type RunResult = z.infer<typeof runResultSchema>;

/** What the runner tells while it executes; the bridge adds `runId`, `fence`, `seq` and `at`. */
export const stepEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('step_start'), nodeId: z.string().max(200) }),
  z.object({
    type: z.literal('step_complete'),
    nodeId: z.string().max(200),
    status: z.enum(['passed', 'failed']),
    durationMs: z.int32().nonnegative(),
    logs: text.optional(),
    error: text.optional(),
    screenshotUrl: z.string().max(2_048).optional(),
  }),
]);
export type StepEvent = z.infer<typeof stepEventSchema>;

/** A step event as the runner numbers it: `seq` counts from 1 within a fence, `at` is the runner's wall clock (ISO 8601). */
export const numberedEventSchema = z.object({
  seq: z
    .int()
    .positive()
    .max(limits.eventsPerAttempt, `an attempt has at most ${limits.eventsPerAttempt} step events`),
  at: z.iso.datetime().refine((at) => Date.parse(at) > 0, 'must be after 1970'),
  event: stepEventSchema,
});
export type NumberedEvent = z.infer<typeof numberedEventSchema>;

/** States of a run's row. `queued`, `running`, `passed` and `failed` are the original's. */
export const runStatuses = ['queued', 'running', 'passed', 'failed', 'cancelled'] as const;
export type RunStatus = (typeof runStatuses)[number];

/** True when no further change of the run's row will come. */
export function isFinal(status: RunStatus): boolean {
  return status === 'passed' || status === 'failed' || status === 'cancelled';
}

/** What operators receive, over SSE and on `run-updates:<runId>`: the runner's step events and the bridge's own two. */
export const runUpdateSchema = z.intersection(
  z.object({
    runId: z.string(),
    fence: z.number().int().nonnegative(),
    seq: z.number().int().nonnegative(),
    at: z.string(),
  }),
  z.discriminatedUnion('type', [
    ...stepEventSchema.options,
    z.object({
      type: z.literal('run_start'),
      status: z.literal('running'),
      attempt: z.number(),
      runnerId: z.string(),
      runnerName: z.string(),
    }),
    z.object({ type: z.literal('run_complete'), status: z.enum(['passed', 'failed', 'cancelled']) }),
  ]),
);
export type RunUpdate = z.infer<typeof runUpdateSchema>;
