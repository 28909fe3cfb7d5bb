import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { publicReason } from './public-reason.ts';
import { oneAtATime, sharedRead } from './shared-read.ts';
import type { Dependency } from './stores.ts';
import { withinTime } from './time-limit.ts';

/** Longest a dependency may take to answer. */
const limitMs = 2_000;
/** How long an answer holds. */
const ttlMs = 1_000;

/** One dependency, and why it does not work; null when it does. */
interface DependencyState {
  name: string;
  problem: string | null;
}

/** Whether a bridge can do its work now. */
export interface Readiness {
  /** Asks every dependency, at once and at most once a second however often this is called. */
  look(): Promise<{ isClosing: boolean; dependencies: readonly DependencyState[] }>;
  /** From now on the bridge is closing: load balancers should send it nothing more. */
  close(): void;
}

export function createReadiness({
  dependencies,
  clock,
  log,
}: {
  dependencies: readonly Dependency[];
  clock: Clock;
  log: Log;
}): Readiness {
  const checks = dependencies.map((dependency) => checkOf(dependency, clock, log));
  const look = sharedRead(clock, ttlMs, () => Promise.all(checks.map((check) => check())));
  let isClosing = false;
  return {
    look: async () => ({ isClosing, dependencies: isClosing ? [] : await look() }),
    close() {
      isClosing = true;
    },
  };
}

/** Checks one dependency and tells the log when it begins and ceases to fail. */
function checkOf(dependency: Dependency, clock: Clock, log: Log): () => Promise<DependencyState> {
  const { name } = dependency;
  // One that hangs is not asked again while it does.
  const ask = oneAtATime(() => dependency.check());
  let isWorking = true;
  return async () => {
    try {
      await withinTime(clock, limitMs, ask());
    } catch (error) {
      if (isWorking)
        log.warn('not ready: something the bridge needs does not work', { dependency: name, error });
      isWorking = false;
      return { name, problem: publicReason(error) };
    }
    if (!isWorking) log.info('what the bridge needs works again', { dependency: name });
    isWorking = true;
    return { name, problem: null };
  };
}
