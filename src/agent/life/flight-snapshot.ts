import * as z from 'zod';

/**
 * A time in which a runner did nothing although it should have. `asleep`: the machine slept. `asleep_or_clock`: it slept or
 * its clock was set, where the system does not tell which. `stopped`: the process got no processor. `blocked`: it was busy
 * with one thing all the time.
 */
const standstillSchema = z.object({
  kind: z.enum(['asleep', 'asleep_or_clock', 'stopped', 'blocked']),
  ms: z.number(),
  endedAt: z.string(),
});

/** How a life ended, written by itself. `exited`: at once, by a third signal. `error`: an error that a person can act on. */
const endedSchema = z.object({
  how: z.enum(['in_order', 'exited', 'error', 'crashed']),
  text: z.string(),
  exitCode: z.number().int().nullable(),
  at: z.string(),
});

const lastEndKinds = [
  'in_order',
  'exited',
  'error',
  'crashed',
  'restarted',
  'moved',
  'out_of_memory',
  'out_of_heap',
  'killed',
] as const;

const lastEndSchema = z.object({
  kind: z.enum(lastEndKinds),
  /** What is known, one sentence without a full stop. */
  text: z.string(),
  /** When the life was over, or when it was last seen alive. */
  at: z.string(),
});

/** What the file holds; anything else says nothing. */
export const snapshotSchema = z.object({
  version: z.string(),
  pid: z.number().int().positive(),
  /** Start time of the process as the system counts it, `unknown` where it does not tell. */
  processStart: z.string(),
  startedAt: z.string(),
  /** When this was written: the runner was alive then. */
  at: z.string(),
  host: z.string(),
  /** Null where the system does not tell. */
  bootId: z.string().nullable(),
  /** PID namespace, `unknown` where the system does not tell. */
  namespace: z.string(),
  /** Time since the machine was started, time asleep included. */
  upMs: z.number(),
  rssBytes: z.number(),
  heap: z.object({ usedBytes: z.number(), limitBytes: z.number() }),
  /** Memory of the control group (container, service) that the runner and its browsers are in; null where there is none. */
  group: z
    .object({ usedBytes: z.number(), limitBytes: z.number().nullable(), oomKills: z.number().nullable() })
    .nullable(),
  /** Processes that the system has ended for want of memory since it was started. */
  systemOomKills: z.number().nullable(),
  runs: z.array(z.object({ runId: z.string(), startedAt: z.string() })),
  /** Runs of lives before that still are to be handed back, and why those lives ended. */
  interrupted: z.record(z.string(), z.string()),
  /** Last request that the bridge answered. */
  answeredAt: z.string().nullable(),
  longestStandstill: standstillSchema.nullable(),
  lastStandstill: standstillSchema.nullable(),
  /** How the life before this one ended. */
  before: lastEndSchema.nullable(),
  ended: endedSchema.nullable(),
});

export type Standstill = z.infer<typeof standstillSchema>;
export type LifeEnd = z.infer<typeof endedSchema>;
/** How a life ended, as the next one judges it. */
export type LastEnd = z.infer<typeof lastEndSchema>;
/** One look at a living runner, in `<home>/flight-record.json`. */
export type FlightSnapshot = z.infer<typeof snapshotSchema>;
