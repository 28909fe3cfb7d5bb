import fc from 'fast-check';
import { type FleetOptions, startFleet } from './fleet.ts';
import { brokenPromises } from './invariants.ts';
import { playSchedule } from './play-schedule.ts';
import { type Schedule, type ScheduleSizes, schedules } from './schedule.ts';

/** How one random schedule went. */
export interface Played {
  readonly seed: number;
  readonly path: string;
  readonly schedule: Schedule;
  /** Kind of fault -> how often it struck. */
  readonly struck: ReadonlyMap<string, number>;
  /** What was broken, one sentence each. */
  readonly broken: readonly string[];
}

/** Sizes of a schedule and the fleet it is played on. */
export type PlayOptions = ScheduleSizes & Pick<FleetOptions, 'concurrency'>;

/**
 * Draws a schedule and plays it for real. What the processes make of it differs by milliseconds, so one that failed may
 * have to be played more than once.
 */
export async function playRandomSchedule(
  { seed, path = '0' }: { seed: number; path?: string | undefined },
  { concurrency = 1, ...sizes }: PlayOptions,
  onSchedule: (schedule: Schedule) => void = () => {},
): Promise<Played> {
  const schedule = drawSchedule({ seed, path }, sizes);
  onSchedule(schedule);
  const fleet = await startFleet({
    runners: sizes.runners,
    concurrency,
    stores: sizes.servers ? 'servers' : 'embedded',
  });
  try {
    const struck = await playSchedule(fleet, schedule);
    return { seed, path, schedule, struck, broken: await brokenPromises(fleet) };
  } finally {
    await fleet.stop();
  }
}

/** The schedule that a seed and a path give, always the same. */
export function drawSchedule({ seed, path }: { seed: number; path: string }, sizes: ScheduleSizes): Schedule {
  const [schedule] = fc.sample(schedules(sizes), { seed, path, numRuns: 1 });
  if (schedule === undefined) throw new Error(`no schedule has the path ${path}`);
  return schedule;
}

/** A seed nobody has had. */
export function freshSeed(): number {
  return Math.floor(Math.random() * 2 ** 31);
}
