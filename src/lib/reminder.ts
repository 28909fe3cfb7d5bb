import type { Clock } from './clock.ts';

/** Keeps what goes wrong again and again from filling a log. */
export interface Reminder {
  /** True when `text` is to be said: nothing of its kind was, or long enough ago. */
  isDue(text: string): boolean;
  /** What comes next is news, whatever it says. */
  forget(): void;
}

/** What an outage says is told again after this. It may last for days, and tries come every few seconds. */
const outageEveryMs = 3_600_000;
const kindsKept = 20;

/** A reminder of outages: texts that differ in numbers and ids only are of one kind, told once an hour. */
export function outageReminder(clock: Pick<Clock, 'monotonicMs'>): Reminder {
  return createReminder(clock, outageEveryMs, (text) => text.replaceAll(/[0-9a-f-]{8,}|\d+/g, '#'));
}

/** Lets each kind of text through once in `everyMs`; without `kindOf` each text is a kind of its own. */
export function createReminder(
  clock: Pick<Clock, 'monotonicMs'>,
  everyMs: number,
  kindOf: (text: string) => string = (text) => text,
): Reminder {
  const saidAtMs = new Map<string, number>();
  return {
    isDue(text) {
      const kind = kindOf(text);
      const nowMs = clock.monotonicMs();
      if (nowMs - (saidAtMs.get(kind) ?? Number.NEGATIVE_INFINITY) < everyMs) return false;
      if (saidAtMs.size >= kindsKept) saidAtMs.clear();
      saidAtMs.set(kind, nowMs);
      return true;
    },
    forget: () => saidAtMs.clear(),
  };
}
