import type { Clock } from '../../src/lib/clock.ts';

interface Sleeper {
  atMs: number;
  wake(): void;
}

/** A clock that moves only when told to. Sleeps are kept in order and end when the clock passes them. */
export class ManualClock implements Clock {
  #wallMs: number;
  #monotonicMs = 1_000;
  #asleepMs = 0;
  readonly #sleepers = new Set<Sleeper>();

  constructor(startAt = '2026-11-24T10:00:00.000Z') {
    this.#wallMs = Date.parse(startAt);
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  monotonicWithSleepMs(): number {
    return this.#monotonicMs + this.#asleepMs;
  }

  /** How many sleeps are under way: a leak check. */
  get sleepers(): number {
    return this.#sleepers.size;
  }

  /** Waits that are under way, in ms from now, shortest first. */
  get waits(): number[] {
    return [...this.#sleepers].map(({ atMs }) => atMs - this.#monotonicMs).sort((a, b) => a - b);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper: Sleeper = {
        atMs: this.#monotonicMs + Math.max(0, ms),
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = (): void => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#sleepers.add(sleeper);
      if (ms <= 0) sleeper.wake();
    });
  }

  /** Moves the wall clock alone, as somebody setting it would. */
  setWall(ms: number): void {
    this.#wallMs = ms;
  }

  /** The machine sleeps: its wall clock and the clock that counts sleep move on. Nothing runs, and no sleep under way gets shorter. */
  sleepMachine(ms: number): void {
    this.#wallMs += ms;
    this.#asleepMs += ms;
  }

  /** The process is stopped (SIGSTOP): all clocks move on, and nothing runs. What became due meanwhile waits for {@link advance}. */
  standStill(ms: number): void {
    this.#move(this.#monotonicMs + ms);
  }

  /** Moves all clocks; sleeps that are due end in order, and what they start runs in between. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#monotonicMs + ms;
    for (;;) {
      const next = [...this.#sleepers].sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#move(next.atMs);
      next.wake();
      await settled();
    }
    this.#move(endMs);
    await settled();
  }

  #move(toMs: number): void {
    if (toMs <= this.#monotonicMs) return;
    this.#wallMs += toMs - this.#monotonicMs;
    this.#monotonicMs = toMs;
  }
}

/** Lets everything run that is ready to. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
