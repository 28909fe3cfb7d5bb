import type { Secret } from '../lib/secret.ts';
import type { Database, SqlNow } from './db/database.ts';
import type { EventLog } from './events/event-log.ts';
import type { Hints } from './hints.ts';
import type { Nonces } from './http/nonces.ts';
import type { Blobs } from './pictures/blobs.ts';
import type { WorkerSecrets } from './worker-secrets.ts';

/** One thing a bridge depends on, and whether it works now. */
export interface Dependency {
  /** As readiness shows it: `postgresql`, `redis`, `intake`. */
  readonly name: string;
  /** Resolves when it works; throws with the reason when it does not. */
  check(): Promise<void>;
}

/** Where a bridge keeps everything: on its embedded default, or on the servers it shares with other bridges. */
export interface Stores {
  readonly db: Database;
  readonly now: SqlNow;
  readonly hints: Hints;
  readonly events: EventLog;
  readonly nonces: Nonces;
  /** Pictures, where there is no bucket. */
  readonly blobs: Blobs;
  readonly workerSecrets: WorkerSecrets;
  readonly adminToken: Secret;
  /** Whether a pairing code approves its runner unless it says otherwise. */
  readonly autoApprove: boolean;
  /** Where everything is, for people: no password in it. */
  readonly place: string;
  readonly dependencies: readonly Dependency[];
  /** Lets commands on this machine find the bridge that now serves at `url`. */
  announce(url: string): Promise<void>;
  /** Ends what was opened, after everything that uses it has ended. */
  close(): Promise<void>;
}
