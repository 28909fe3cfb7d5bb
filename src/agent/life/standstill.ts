import type { Standstill } from './flight-snapshot.ts';

/** All clocks at one moment. */
export interface ClockReading {
  wallMs: number;
  /** Stands still while the machine sleeps. */
  monotonicMs: number;
  /** Goes on while the machine sleeps; null where the system has no such clock. */
  bootMs: number | null;
  /** Processor time this process has used. */
  processorMs: number;
}

/** Less than this is an ordinary delay. */
const worthKeepingMs = 3_000;

/** What happened between two readings that should be `expectedMs` apart; null when nothing did. */
export function standstillBetween(
  before: ClockReading,
  after: ClockReading,
  expectedMs: number,
): Standstill | null {
  const ranMs = after.monotonicMs - before.monotonicMs;
  const hasBootClock = before.bootMs !== null && after.bootMs !== null;
  const passedMs = hasBootClock ? (after.bootMs ?? 0) - (before.bootMs ?? 0) : after.wallMs - before.wallMs;
  const sleptMs = Math.max(0, passedMs - ranMs);
  const lateMs = Math.max(0, ranMs - expectedMs);
  const ms = Math.round(sleptMs + lateMs);
  if (ms < worthKeepingMs) return null;
  const endedAt = new Date(after.wallMs).toISOString();
  if (sleptMs > lateMs) return { kind: hasBootClock ? 'asleep' : 'asleep_or_clock', ms, endedAt };
  const workedMs = after.processorMs - before.processorMs;
  return { kind: workedMs > lateMs / 2 ? 'blocked' : 'stopped', ms, endedAt };
}
