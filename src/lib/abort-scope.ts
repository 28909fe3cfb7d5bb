import { setMaxListeners } from 'node:events';
import type { Clock } from './clock.ts';

/** A signal with an end: whoever makes one closes it, so that nothing stays attached to a signal that lives on. */
export interface AbortScope {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** Detaches from the outer signals and stops the timer; the signal itself never fires after this by them. */
  close(): void;
}

/**
 * A signal that follows `signals`, and fires by itself after `timeoutMs` with what `timeoutReason` gives.
 * (AbortSignal.any with signals that live long leaks on Node 20.)
 */
export function abortScope(
  signals: readonly (AbortSignal | undefined)[],
  timeout?: { clock: Clock; timeoutMs: number; reason: () => unknown },
): AbortScope {
  const own = new AbortController();
  // Many runs follow one signal; every follower detaches, so that more than ten are no leak. (0 for "any number" makes
  // Node's getMaxListeners throw, which undici calls.)
  setMaxListeners(1_000, own.signal);
  const timer = new AbortController();
  const links: [AbortSignal, () => void][] = [];
  for (const signal of signals) {
    if (signal === undefined) continue;
    const onAbort = (): void => own.abort(signal.reason);
    if (signal.aborted) onAbort();
    else {
      signal.addEventListener('abort', onAbort, { once: true });
      links.push([signal, onAbort]);
    }
  }
  if (timeout !== undefined && !own.signal.aborted) {
    timeout.clock.sleep(timeout.timeoutMs, timer.signal).then(
      () => own.abort(timeout.reason()),
      () => {},
    );
  }
  return {
    signal: own.signal,
    abort: (reason) => own.abort(reason),
    close() {
      timer.abort();
      for (const [signal, onAbort] of links) signal.removeEventListener('abort', onAbort);
    },
  };
}
