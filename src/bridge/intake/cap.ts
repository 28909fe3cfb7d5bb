/** What the cap on held jobs depends on. */
export interface Load {
  /** Held runs that a runner has, or is being offered. */
  running: number;
  /** Held runs that wait, and that nobody who waits or works here could take: what is behind them must come past. */
  blocked: number;
  /** Held jobs of runs that another held job is about: they are in the way of others. */
  spare: number;
  /** Runs that the polls waiting at this bridge could take. */
  freeSlots: number;
}

/** Jobs held beyond what can be taken at once, so that a runner that becomes free finds one. Also the least that is held. */
const buffer = 20;
/** Most jobs that a bridge holds. Source: 5,000 cost 8 MB and a hundredth of a core. */
const most = 5_000;

/**
 * How many jobs a bridge holds. Everything it takes leaves BullMQ's own order and looks active there, so that it takes
 * little more than the runners can; the more are in the way, the further it looks for one that is not.
 */
export function capOf({ running, blocked, spare, freeSlots }: Load): number {
  return Math.min(most, running + blocked + spare + freeSlots + Math.max(buffer, Math.ceil(blocked / 2)));
}

/** The cap shared among queues: each may have its part, and what the others do not use. At least 1 each. */
export function sharesOf(cap: number, held: readonly number[]): number[] {
  const total = held.reduce((sum, count) => sum + count, 0);
  return held.map((count) => Math.max(1, Math.floor(cap / held.length), cap - (total - count)));
}
