import type { Clock } from '../../lib/clock.ts';

/** What the lease loop tells about itself. */
export interface LoopWatch {
  /** It is heard again within this time; null while it waits for its runs, each of which ends by a clock of its own. */
  waits(atMostMs: number | null): void;
  /** A poll was answered. */
  polled(): void;
}

/** Whether the lease loop still turns, for whoever restarts a runner whose does not. */
export interface Pulse extends LoopWatch {
  /** How long the loop has been silent beyond what it said, in ms; 0 as long as it turns. */
  overdueMs(): number;
  /** Since a poll was answered last, in ms; null before the first. */
  pollAgeMs(): number | null;
  /** True while the loop does not poll because all slots are taken, or because it has not begun or has ended. */
  isWaitingForRuns(): boolean;
  /** Polls answered so far. */
  polls(): number;
}

/** A machine that is busy, or was stopped and goes on, is late without being stuck. */
const graceMs = 30_000;

/** The pulse of a loop that has not begun. */
export function createPulse(clock: Pick<Clock, 'monotonicMs'>): Pulse {
  let dueMs: number | null = null;
  let polledMs: number | null = null;
  let polls = 0;
  return {
    waits(atMostMs) {
      dueMs = atMostMs === null ? null : clock.monotonicMs() + atMostMs + graceMs;
    },
    polled() {
      polls += 1;
      polledMs = clock.monotonicMs();
    },
    overdueMs: () => (dueMs === null ? 0 : Math.max(0, clock.monotonicMs() - dueMs)),
    pollAgeMs: () => (polledMs === null ? null : clock.monotonicMs() - polledMs),
    isWaitingForRuns: () => dueMs === null,
    polls: () => polls,
  };
}
