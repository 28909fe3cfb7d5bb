/** Durations (ms) and counts of the intake. Tests give shorter ones. */
export const intakeTimes = {
  /** A job's lock in BullMQ; renewed at half of it, and what another bridge waits for when this one is killed. */
  lockMs: 15_000,
  /** How often BullMQ looks for jobs whose lock ran out. */
  stalledCheckMs: 5_000,
  /** How long a fetch blocks before it asks again. */
  fetchMs: 5_000,
  /** A backend may add the job before its transaction commits: waits between looks for the row. */
  rowWaitsMs: [50, 150, 300, 500, 1_000] as readonly number[],
  /** Waits between attempts to take a run while the database cannot be reached. */
  outageWaitMs: 1_000,
  /** How often the cap is set anew from what this process knows, and progress is passed on. */
  tickMs: 100,
  /** How often the rows of held runs are looked at: for lost hints, and for the cap. */
  lookMs: 1_000,
  /** The ending of a run is told by who wrote it; a look settles jobs only of endings older than this. */
  tellingMs: 1_000,
  /** Longest that a start waits for the connections of the intake. */
  startMs: 5_000,
  /** Longest that giving back all held jobs may take at the end. */
  drainMs: 2_500,
  /** How long the end waits for a look at the database that is under way. */
  lookEndMs: 500,
  /** How often bridges look for runs whose jobs are lost; one bridge does it for all. */
  reconcileMs: 60_000,
  /** A run without a job is looked at twice, this far apart: jobs move while one looks. */
  reconcileConfirmMs: 2_000,
  /** Only rows older than this are taken for lost: their jobs may be on the way. */
  reconcileAfterMs: 60_000,
  /** Rows older than this are history that nobody waits for. */
  reconcileBeforeMs: 24 * 3_600_000,
} as const;

export type IntakeTimes = {
  readonly [Name in keyof typeof intakeTimes]: (typeof intakeTimes)[Name] extends number
    ? number
    : readonly number[];
};
