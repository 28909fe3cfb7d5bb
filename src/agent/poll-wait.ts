import { limits } from '../protocol/limits.ts';

/** How long the next poll asks the bridge to wait; shorter where something in between cuts long requests. */
export interface PollWait {
  readonly ms: number;
  /** A poll was answered. */
  answered(): void;
  /** A poll ended without an answer after this time. */
  cut(elapsedMs: number): void;
}

// Source of the numbers: reference measurements, "Long-poll".
const shortestMs = 5_000;
const shrinkBy = 0.8;
const growMs = 5_000;
const growAfterAnswers = 20;
/** A failure within this time was no cut: nobody listened. */
const cutAfterMs = 2_000;

/** Starts at the longest wait, shrinks to 0.8 of the time after which a poll was cut (of its wait, when no answer came at all), and grows back after 20 answers. */
export function createPollWait(longestMs: number = limits.pollWaitMs): PollWait {
  let ms = longestMs;
  let answers = 0;
  return {
    get ms() {
      return ms;
    },
    answered() {
      answers += 1;
      if (ms >= longestMs || answers < growAfterAnswers) return;
      ms = Math.min(longestMs, ms + growMs);
      answers = 0;
    },
    cut(elapsedMs) {
      answers = 0;
      if (elapsedMs < cutAfterMs) return;
      // Where silence is dropped without a word the failure comes late, when the answer was due long ago.
      ms = Math.max(shortestMs, Math.round(Math.min(elapsedMs, ms) * shrinkBy));
    },
  };
}
