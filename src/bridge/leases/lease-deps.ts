import type { Log } from '../../lib/log.ts';
import type { Database, SqlNow } from '../db/database.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Teller } from '../events/teller.ts';
import type { Hints } from '../hints.ts';
import type { Timing } from '../timing.ts';
import type { RunObserver } from './run-end.ts';

/** What everything that reads or changes lease rows needs. */
export interface LeaseDeps {
  db: Database;
  now: SqlNow;
  timing: Timing;
  hints: Hints;
  events: EventLog;
  teller: Teller;
  /** Hears of every run that this bridge ends. */
  observe: RunObserver;
  /** Hears of every lease that this bridge puts back, with the reason. */
  returned?: (reason: string) => void;
  log: Log;
}
