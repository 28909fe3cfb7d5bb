import { abortScope } from '../lib/abort-scope.ts';
import type { Clock } from '../lib/clock.ts';
import { BridgeUnavailableError, CancelledError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { limits } from '../protocol/limits.ts';
import type { Capabilities, Lease } from '../protocol/messages.ts';
import type { AgentEvent } from './agent-event.ts';
import type { BridgeClient } from './client/bridge-client.ts';
import { NoAnswerError, refusedForNow } from './client/bridge-errors.ts';
import { type RetryDeps, withRetry } from './client/retry.ts';
import { createVersionNotice } from './client/version-notice.ts';
import type { LoopWatch } from './health/pulse.ts';
import { createPollWait } from './poll-wait.ts';
import type { WakeUp } from './wake-up.ts';

export interface LeaseLoopOptions {
  /** Runs at the same time. */
  concurrency: number;
  /** Take one run and end. */
  once: boolean;
  capabilities: Capabilities;
}

export interface LeaseLoopDeps extends RetryDeps {
  client: BridgeClient;
  clock: Clock;
  /** Executes one lease to its end. It must not reject for anything a run may bring. */
  runLease(lease: Lease): Promise<void>;
  /** Ends polling; runs under way are finished. */
  drainSignal: AbortSignal;
  /** Waits between polls that fail; a hint ends the wait. */
  pause: WakeUp;
  /** With each answer: whether the bridge gives this runner no further runs. */
  onDrainOrder(isOrdered: boolean): void;
  tell(event: AgentEvent): void;
  /** Hears of each turn of the loop. */
  pulse: LoopWatch;
  log: Log;
}

/** A runner that never reached its bridge gives up after this, so that whoever started it learns of it. */
const firstContactMs = 60_000;
/** A poll is given up this long after the bridge should have answered it. */
const pollGraceMs = 10_000;
/** An empty answer sooner than this did not wait; the next poll then does, or it would become a loop without a pause. */
const tooSoonMs = 1_000;

/**
 * Takes leases while slots are free: one poll a process, for all free slots; a slot that becomes free ends the poll and
 * sends it again for one more. Ends when drained, or after one run with `once`, once all runs have ended. Throws what
 * ends a runner: credentials, version, a bridge that was never reached.
 */
export async function leaseLoop(
  { concurrency, once, capabilities }: LeaseLoopOptions,
  deps: LeaseLoopDeps,
): Promise<void> {
  const { client, clock, drainSignal, pause, pulse, tell } = deps;
  const running = new Set<Promise<void>>();
  const wait = createPollWait();
  const noteVersion = createVersionNotice({ ...deps, version: capabilities.qualinetVersion });
  const startedMs = clock.monotonicMs();
  let reissue: (() => void) | null = null;
  let everConnected = false;
  let isConnected = false;
  let askedWaitMs = 0;
  const slots = once ? 1 : concurrency;

  try {
    while (!drainSignal.aborted) {
      const free = slots - running.size;
      if (free === 0) {
        pulse.waits(null);
        await Promise.race(running);
        continue;
      }
      const leases = await poll(free);
      for (const lease of leases.slice(0, free)) start(lease);
      if (once && leases.length > 0) break;
    }
  } finally {
    pulse.waits(null);
    await Promise.all(running);
  }

  function start(lease: Lease): void {
    const run = deps.runLease(lease).finally(() => {
      running.delete(run);
      reissue?.();
    });
    running.add(run);
  }

  async function poll(free: number): Promise<Lease[]> {
    const scope = abortScope([drainSignal]);
    const isOver = new CancelledError('a slot became free');
    reissue = () => scope.abort(isOver);
    try {
      const sentMs = clock.monotonicMs();
      const leases = await withRetry(
        () => pollOnce(free, scope.signal),
        { signal: scope.signal, onRetry: (error, waitMs) => onFailure(error, waitMs), sleep: pause.sleep },
        deps,
      );
      if (leases.length === 0 && askedWaitMs > 0 && clock.monotonicMs() - sentMs < tooSoonMs) {
        await pause.sleep(tooSoonMs * (0.5 + 0.5 * deps.random()), scope.signal);
      }
      return leases;
    } catch (error) {
      if (scope.signal.aborted && error === scope.signal.reason) return [];
      throw error;
    } finally {
      reissue = null;
      scope.close();
    }
  }

  async function pollOnce(free: number, signal: AbortSignal): Promise<Lease[]> {
    const sentMs = clock.monotonicMs();
    // The first poll, and the first after a loss, is answered at once: whoever started the runner sees that it is connected.
    askedWaitMs = isConnected ? wait.ms : 0;
    // A request may be sent twice, see the client.
    pulse.waits(2 * (askedWaitMs + pollGraceMs));
    try {
      const { leases, orders, notice } = await client.call('pollLeases', {
        body: { slots: free, waitMs: askedWaitMs, capabilities },
        signal,
        timeoutMs: askedWaitMs + pollGraceMs,
        // A flow is at most limits.flowBytes; the rest of a lease is small.
        maxAnswerBytes: (free + 1) * limits.flowBytes * 2,
      });
      pulse.polled();
      if (askedWaitMs > 0) wait.answered();
      noteVersion(notice);
      if (!isConnected) tell({ type: 'connected' });
      isConnected = true;
      everConnected = true;
      deps.onDrainOrder(orders.includes('drain'));
      return leases;
    } catch (error) {
      if (error instanceof NoAnswerError && askedWaitMs > 0) wait.cut(clock.monotonicMs() - sentMs);
      throw refusedForNow(error, 'to be asked for runs');
    }
  }

  function onFailure(error: NoAnswerError, waitMs: number): void {
    isConnected = false;
    pulse.waits(waitMs);
    const isReached = everConnected || error.problem !== null;
    if (!isReached && clock.monotonicMs() + waitMs - startedMs > firstContactMs) {
      throw new BridgeUnavailableError(error.message, {
        cause: error,
        hint: error.hint ?? 'Check that the bridge runs and can be reached from here.',
      });
    }
    tell({
      type: 'disconnected',
      error: error.message,
      hint: error.hint ?? null,
      waitMs: Math.round(waitMs),
    });
  }
}
