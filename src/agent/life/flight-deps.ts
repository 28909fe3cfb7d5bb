import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { type ReadText, readText } from './machine-reading.ts';

/** What a flight record looks at. */
export interface FlightDeps {
  clock: Pick<Clock, 'nowMs' | 'sleep'>;
  log: Log;
  readText: ReadText;
  /** A clock that stands still while the machine sleeps. */
  awakeMs(): number;
  /** Processor time of this process. */
  processorMs(): number;
  /** Calls `listener` when the process ends by an error nobody caught. */
  onCrash(listener: (error: unknown) => void): () => void;
  /** Calls `listener` when the process exits, in whatever way of its own. */
  onExit(listener: (code: number) => void): () => void;
}

/** The clocks, files and process of this machine. */
export function systemFlightDeps({ clock, log }: { clock: Clock; log: Log }): FlightDeps {
  return {
    clock,
    log,
    readText,
    awakeMs: () => performance.now(),
    processorMs() {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000;
    },
    onCrash(listener) {
      process.on('uncaughtExceptionMonitor', listener);
      return () => process.off('uncaughtExceptionMonitor', listener);
    },
    onExit(listener) {
      process.on('exit', listener);
      return () => process.off('exit', listener);
    },
  };
}
