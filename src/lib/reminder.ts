import type { Clock } from './clock.ts';

/** Keeps what goes wrong again and again from filling a log. */
export interface Reminder {
  /** True when `text` is to be said: nothing of its kind was, or long enough ago. */
  isDue(text: string): boolean;
  /** What comes next is news, whatever it says. */
  forget(): void;
}

/** An outage that lasts is told again after this. It may last for days, and tries come every few seconds. */
export const outageReminderMs = 3_600_000;

const kindsKept = 20;

/** Lets texts that differ in numbers and ids only through once in `everyMs`. */
export function createReminder(clock: Pick<Clock, 'monotonicMs'>, everyMs: number): Reminder {
  const saidAtMs = new Map<string, number>();
  return {
    isDue(text) {
      const kind = text.replaceAll(/[0-9a-f-]{8,}|\d+/g, '#');
      const nowMs = clock.monotonicMs();
      if (nowMs - (saidAtMs.get(kind) ?? Number.NEGATIVE_INFINITY) < everyMs) return false;
      if (saidAtMs.size >= kindsKept) saidAtMs.clear();
      saidAtMs.set(kind, nowMs);
      return true;
    },
    forget: () => saidAtMs.clear(),
  };
}
