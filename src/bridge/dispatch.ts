import type { Clock } from '../lib/clock.ts';
import type { Lease } from '../protocol/messages.ts';
import { knownReady } from './known-ready.ts';
import { grantLeases, type LeaseTaker, withdrawOffers } from './leases/grant-leases.ts';
import type { LeaseDeps } from './leases/lease-deps.ts';

/** One poll of a runner. */
interface Poll {
  runner: LeaseTaker;
  slots: number;
  waitMs: number;
  /** Aborted when the poller has gone; a run granted to it then is withdrawn. */
  gone: AbortSignal;
}

/** The waiting side of the long poll. */
export interface Dispatcher {
  /** Resolves with leases as soon as there are some, empty after `waitMs`, on a newer poll of the same runner, or on stop. */
  poll(poll: Poll): Promise<Lease[]>;
  /** Looks for runs whose wake-up was lost; called every second. */
  sweep(): Promise<void>;
  /** Runs that the polls waiting here could take now. */
  freeSlots(): number;
  /**
   * Sets a poll aside that could take a run of this workspace with these labels, the longest waiting one; null when none
   * waits. It must be given a lease or released.
   */
  reserve(workspace: string, labels: readonly string[]): Reservation | null;
  /** True when a poll waits here that could take a run of this workspace with these labels. */
  isAwaited(workspace: string, labels: readonly string[]): boolean;
  /** Ends every poll with an empty answer and takes no more. */
  stop(): void;
}

/** A waiting poll that was set aside for a run which is granted as it is taken in. */
interface Reservation {
  readonly taker: LeaseTaker;
  /** Answers the poll with a lease that was offered to its runner; withdraws the offer when the poller has gone. */
  give(lease: Lease): Promise<void>;
  /** Lets the poll go on waiting. */
  release(): void;
}

interface Waiter {
  poll: Poll;
  /** Settles the poll; false when it was settled before or its poller has gone. */
  answer(leases: Lease[]): boolean;
  fail(error: unknown): void;
  isOpen: boolean;
  isAsking: boolean;
  /** A wake-up came while it asked: what it asked may be older. */
  askAgain: boolean;
}

/**
 * Holds polls until there are runs for them. Waiters are woken in order of arrival, and only as many as there are runs;
 * which run a woken one gets is decided by the database.
 */
export function createDispatcher(deps: LeaseDeps & { clock: Clock }): Dispatcher {
  const { hints, clock, timing } = deps;
  const waiters = new Set<Waiter>();
  /** A runner waits once: its newer poll ends the older one. */
  const waiterOf = new Map<string, Waiter>();
  const ready = knownReady(deps);
  let freeSlots = 0;
  let isStopped = false;

  const unsubscribe = hints.subscribe((hint) => {
    if (hint.about === 'ready') {
      ready.note(hint.workspace);
      return wake(hint.workspace, hint.labels, 1);
    }
    // Its orders have changed: an empty answer lets it poll anew and read them.
    if (hint.about === 'runner' && hint.leaseId === null) dismiss(hint.runnerId);
    return false;
  });

  /** True when waiters with enough slots were woken. */
  function wake(workspace: string, labels: readonly string[], runs: number): boolean {
    let left = runs;
    for (const waiter of waiters) {
      if (left <= 0) return true;
      if (!couldTake(waiter, workspace, labels)) continue;
      left -= waiter.poll.slots;
      void ask(waiter);
    }
    return left <= 0;
  }

  function dismiss(runnerId: string): void {
    waiterOf.get(runnerId)?.answer([]);
  }

  async function ask(waiter: Waiter): Promise<void> {
    if (waiter.isAsking) {
      waiter.askAgain = true;
      return;
    }
    waiter.isAsking = true;
    try {
      do {
        waiter.askAgain = false;
        const leases = await grantLeases(deps, waiter.poll.runner, waiter.poll.slots);
        if (leases.length === 0) continue;
        if (!waiter.answer(leases)) await withdrawOffers(deps, waiter.poll.runner.runnerId, leases);
        // The wake-up it could not use may be somebody else's run.
        else if (waiter.askAgain) await sweep();
        return;
      } while (waiter.askAgain && waiter.isOpen);
    } catch (error) {
      waiter.fail(error);
    } finally {
      waiter.isAsking = false;
    }
  }

  // While a poll is set aside it counts as asking: wake-ups that come meanwhile are kept for afterwards.
  function reservation(waiter: Waiter): Reservation {
    const { runner } = waiter.poll;
    waiter.isAsking = true;
    waiter.askAgain = false;
    return {
      taker: runner,
      async give(lease) {
        waiter.isAsking = false;
        if (!waiter.answer([lease])) await withdrawOffers(deps, runner.runnerId, [lease]);
        else if (waiter.askAgain) await sweep();
      },
      release() {
        waiter.isAsking = false;
        if (waiter.askAgain && waiter.isOpen) void ask(waiter);
      },
    };
  }

  // Many waiters may want one at the same time: those that come while one is under way share the next.
  let sweeping: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  function sweep(): Promise<void> {
    if (sweeping === null) {
      sweeping = sweepOnce().finally(() => {
        sweeping = null;
      });
      return sweeping;
    }
    next ??= sweeping
      .catch(() => {})
      .then(() => {
        next = null;
        return sweep();
      });
    return next;
  }

  async function sweepOnce(): Promise<void> {
    if (waiters.size === 0) return;
    for (const { workspace, labels, runs } of await ready.look()) wake(workspace, labels, runs);
  }

  return {
    poll(poll) {
      if (isStopped || poll.gone.aborted) return Promise.resolve([]);
      const { runnerId, workspace } = poll.runner;
      dismiss(runnerId);
      return new Promise((resolve, reject) => {
        const ended = new AbortController();
        const settle = (finish: () => void): boolean => {
          if (!waiter.isOpen) return false;
          waiter.isOpen = false;
          waiters.delete(waiter);
          if (waiterOf.get(runnerId) === waiter) waiterOf.delete(runnerId);
          freeSlots -= poll.slots;
          // With a reason of its own it makes no error with a stack, for every poll.
          ended.abort('settled');
          poll.gone.removeEventListener('abort', onGone);
          finish();
          return true;
        };
        const waiter: Waiter = {
          poll,
          answer: (leases) => settle(() => resolve(leases)),
          fail: (error) => settle(() => reject(error)),
          isOpen: true,
          isAsking: false,
          askAgain: false,
        };
        const onGone = (): void => {
          waiter.answer([]);
        };
        poll.gone.addEventListener('abort', onGone);
        waiters.add(waiter);
        waiterOf.set(runnerId, waiter);
        freeSlots += poll.slots;
        const waitsForSweep = poll.waitMs >= 2 * timing.sweepMs;
        // The wait begins once it has asked: also a poll that does not wait gets what is there.
        void (waitsForSweep && ready.isNone(workspace) ? Promise.resolve() : ask(waiter))
          .then(() => clock.sleep(poll.waitMs, ended.signal))
          .then(
            () => waiter.answer([]),
            () => {},
          );
      });
    },
    sweep,
    freeSlots: () => freeSlots,
    reserve(workspace, labels) {
      for (const waiter of waiters) {
        if (!waiter.isAsking && couldTake(waiter, workspace, labels)) return reservation(waiter);
      }
      return null;
    },
    isAwaited(workspace, labels) {
      for (const waiter of waiters) if (couldTake(waiter, workspace, labels)) return true;
      return false;
    },
    stop() {
      isStopped = true;
      unsubscribe();
      for (const waiter of waiters) waiter.answer([]);
    },
  };
}

function couldTake({ poll }: Waiter, workspace: string, labels: readonly string[]): boolean {
  const { runner } = poll;
  return runner.workspace === workspace && labels.every((label) => runner.labels.includes(label));
}
