import type { Clock } from '../../lib/clock.ts';
import type { Log, LogFields } from '../../lib/log.ts';

/** Warns of what repeats as long as its cause lasts. */
export interface RareWarning {
  /** `cause` is the part of the text that says of what kind it is, all of it where none is given. */
  warn(text: string, fields?: LogFields, cause?: string): void;
  /** It is over: the next one is told again. */
  recovered(): void;
}

/** A cause that lasts is told again after this. Outages may last for days, and tries come every few seconds. */
const againMs = 3_600_000;
const kindsKept = 20;

/** Warns of each kind at once, then once an hour; the rest goes to the debug log. */
export function rareWarning({ clock, log }: { clock: Pick<Clock, 'monotonicMs'>; log: Log }): RareWarning {
  const toldAtMs = new Map<string, number>();
  return {
    warn(text, fields = {}, cause = text) {
      // Numbers and ids apart, the cause is the kind.
      const kind = cause.replaceAll(/[0-9a-f-]{8,}|\d+/g, '#');
      const nowMs = clock.monotonicMs();
      const lastMs = toldAtMs.get(kind);
      if (lastMs !== undefined && nowMs - lastMs < againMs) return log.debug(text, fields);
      if (toldAtMs.size >= kindsKept) toldAtMs.clear();
      toldAtMs.set(kind, nowMs);
      log.warn(text, fields);
    },
    recovered: () => toldAtMs.clear(),
  };
}
