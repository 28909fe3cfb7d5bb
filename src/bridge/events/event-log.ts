import type { RunUpdate } from '../../protocol/run-result.ts';

/** A place in a run's updates: everything up to and including it was seen. */
export interface EventPosition {
  fence: number;
  seq: number;
}

/** Before the first update. */
export const fromTheFirst: EventPosition = { fence: -1, seq: -1 };

/** Updates read at once, at most. */
export const updatesPerPage = 500;

/**
 * Where the updates of runs are kept and told from, each once and in the order of their positions. It is derived from
 * what runners and lease rows say; which runner may add to it is decided before (append-events.ts).
 */
export interface EventLog {
  /**
   * Adds updates of one run, given in the order of their positions, and wakes those who follow it. What does not come
   * after the last one there is passed over, so that repeating a call changes nothing.
   */
  add(runId: string, updates: readonly RunUpdate[]): Promise<void>;
  /** Up to {@link updatesPerPage} updates after `position`, in order. */
  read(runId: string, position: EventPosition): Promise<RunUpdate[]>;
  /** Where the log is not in the database itself: what keeps updates there while the log cannot be reached. */
  readonly late?: LateUpdates;
}

/** Updates that the log could not take when it was time, in the database until it can. */
export interface LateUpdates {
  keep(runId: string, updates: readonly RunUpdate[]): Promise<void>;
  /** Up to {@link updatesPerPage} of a run after `position`, in order. */
  read(runId: string, position: EventPosition): Promise<RunUpdate[]>;
  /** Drops those of a run up to `position`: the log has them. */
  drop(runId: string, position: EventPosition): Promise<void>;
  /** Some of the runs that have any. */
  runIds(): Promise<string[]>;
}

/** All updates of a run after `position`, page by page. */
export async function* updatesAfter(
  log: Pick<EventLog, 'read'>,
  runId: string,
  position: EventPosition,
): AsyncGenerator<RunUpdate> {
  for (let seen = position; ; ) {
    const updates = await log.read(runId, seen);
    for (const update of updates) {
      yield update;
      seen = update;
    }
    if (updates.length < updatesPerPage) return;
  }
}

/** `<fence>-<seq>`, the id of an update on streams. */
export function positionText({ fence, seq }: EventPosition): string {
  return `${fence}-${seq}`;
}

/** The inverse of {@link positionText}; null for anything else. */
export function parsePosition(text: string): EventPosition | null {
  const parts = /^(\d{1,9})-(\d{1,9})$/.exec(text);
  return parts === null ? null : { fence: Number(parts[1]), seq: Number(parts[2]) };
}

/** True when `one` lies after `other`. */
export function isAfter(one: EventPosition, other: EventPosition): boolean {
  return one.fence > other.fence || (one.fence === other.fence && one.seq > other.seq);
}
