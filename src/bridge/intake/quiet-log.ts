import { errorText } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { isOutage } from '../outage.ts';

/** Errors that repeat as long as their cause lasts, told once. */
export interface QuietLog {
  error(error: unknown): void;
  /** What `error` told is over. */
  recovered(): void;
}

/** Errors of one kind are told again after this, ms: the cause lasts, and somebody should look. */
const againMs = 60_000;
const kindsKept = 100;

/** `subject` is what the errors are about: `the intake from queue "a"`. */
export function quietLog(
  subject: string,
  { log, monotonicMs }: { log: Log; monotonicMs: () => number },
): QuietLog {
  const toldAtMs = new Map<string, number>();
  let isOut = false;
  return {
    error(error) {
      if (isOutage(error)) {
        if (!isOut) log.warn(`${subject} cannot reach its server`, { error });
        isOut = true;
        return;
      }
      // Numbers and ids apart, the text is the kind.
      const kind = errorText(error).replaceAll(/[0-9a-f-]{8,}|\d+/g, '#');
      const nowMs = monotonicMs();
      if (nowMs - (toldAtMs.get(kind) ?? Number.NEGATIVE_INFINITY) < againMs) return;
      if (toldAtMs.size >= kindsKept) toldAtMs.clear();
      toldAtMs.set(kind, nowMs);
      log.warn(`${subject} has an error`, { error });
    },
    recovered() {
      if (isOut) log.info(`${subject} works again`);
      isOut = false;
    },
  };
}
