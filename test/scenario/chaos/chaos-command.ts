import { freshSeed, playRandomSchedule } from './random-schedules.ts';
import { scheduleText } from './schedule.ts';

/** What `npm run chaos` was asked for. */
export interface ChaosOrder {
  minutes: number;
  /** Null: fresh seeds until the time is over. */
  seed: number | null;
  path: string | undefined;
  stores: 'embedded' | 'servers' | 'both';
  runs: number;
  faults: number;
  /** Disturbances begin within this time. */
  windowMs: number;
}

const runners = 2;

/** Plays schedules until the time is over or a promise is broken; the exit code. */
export async function runChaos(order: ChaosOrder, say: (line: string) => void): Promise<number> {
  const endsAtMs = performance.now() + order.minutes * 60_000;
  const total = new Map<string, number>();
  let played = 0;
  let broken: readonly string[] = [];
  do {
    const seed = order.seed ?? freshSeed();
    const stores = order.stores === 'both' ? (['embedded', 'servers'] as const)[played % 2] : order.stores;
    const { runs, faults, path, windowMs } = order;
    const sizes = { runs, faults, windowMs, runners, concurrency: 2, servers: stores === 'servers' };
    say(`\nschedule ${played + 1}  seed ${seed}${path === undefined ? '' : ` path ${path}`}  ${stores}`);
    const result = await playRandomSchedule({ seed, path }, sizes, (schedule) => {
      for (const line of scheduleText(schedule)) say(line);
    }).catch((error: unknown) => {
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return { path: path ?? '0', struck: new Map<string, number>(), broken: [`it came to no end: ${why}`] };
    });
    played += 1;
    for (const [kind, times] of result.struck) total.set(kind, (total.get(kind) ?? 0) + times);
    broken = result.broken;
    if (broken.length > 0) {
      for (const promise of broken) say(`  VIOLATION ${promise}`);
      say(
        `  again with: npm run chaos -- --seed ${seed} --path ${result.path} --stores ${stores} --runs ${runs} --faults ${faults} --window ${windowMs}`,
      );
    } else say('  every promise was kept');
  } while (order.seed === null && broken.length === 0 && performance.now() < endsAtMs);

  say(`\n${played} schedules. Faults by kind:`);
  for (const [kind, times] of [...total].sort(([, a], [, b]) => b - a)) {
    say(`  ${kind.padEnd(14)} ${times}`);
  }
  say(`Violations: ${broken.length}`);
  return broken.length === 0 ? 0 : 1;
}
