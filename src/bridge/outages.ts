import { errorText } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { withoutStatement } from './db/database.ts';
import { isOutage } from './outage.ts';
import type { Dependency } from './stores.ts';

/** What this bridge knows of servers that do not answer, so that each outage is told once and not with each request. */
export interface Outages {
  /** True when an error means that a server is away; the first one of an outage is told. */
  note(error: unknown): boolean;
  /** While there is an outage, asks every server whether it is over; told when it is. Never throws. */
  look(): Promise<void>;
}

export function createOutages({
  dependencies,
  log,
}: {
  dependencies: readonly Dependency[];
  log: Log;
}): Outages {
  let sinceMs: number | null = null;
  let isLooking = false;
  return {
    note(error) {
      if (!isOutage(error)) return false;
      if (sinceMs === null) {
        log.error('a server that this bridge needs does not answer; what needs it is answered with 503', {
          error: errorText(withoutStatement(error)),
        });
        sinceMs = performance.now();
      }
      return true;
    },
    async look() {
      if (sinceMs === null || isLooking) return;
      isLooking = true;
      const answers = await Promise.allSettled(dependencies.map((dependency) => dependency.check()));
      isLooking = false;
      if (answers.some(({ status }) => status === 'rejected')) return;
      log.info('all servers answer again', { afterMs: Math.round(performance.now() - sinceMs) });
      sinceMs = null;
    },
  };
}
