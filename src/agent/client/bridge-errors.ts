import {
  BridgeUnavailableError,
  EnvironmentError,
  type ErrorDetails,
  RefusedError,
  systemErrorCode,
} from '../../lib/errors.ts';
import { explainNetworkFailure } from './network-failure.ts';
import type { ChosenProxy } from './proxies.ts';

/** The bridge gave no answer that counts; the same request may be sent again. The only error that is retried. */
export class NoAnswerError extends BridgeUnavailableError {
  /** What Retry-After asked for in ms, null when it asked for nothing. */
  readonly retryAfterMs: number | null;
  /** The problem code of the answer, null when there was none to believe. */
  readonly problem: string | null;

  constructor(
    message: string,
    details: ErrorDetails & { retryAfterMs?: number | null; problem?: string } = {},
  ) {
    super(message, details);
    this.retryAfterMs = details.retryAfterMs ?? null;
    this.problem = details.problem ?? null;
  }
}

/**
 * What a refusal of `what` means, which is the same each time and was good for this version: the bridge, or something before it, is
 * wrong for now. Anything else that was thrown stays as it is.
 */
export function refusedForNow(error: unknown, what: string): unknown {
  if (!(error instanceof RefusedError)) return error;
  const faults = error.problems.length === 0 ? '' : `: ${error.problems.join('; ')}`;
  return new NoAnswerError(`the bridge refuses ${what}: ${error.message}${faults}`, {
    cause: error,
    problem: error.code,
    hint: 'If this lasts, tell the operators of the bridge: does something in between change requests, or is its version wrong?',
  });
}

/** This version speaks a protocol the bridge no longer serves. */
export class UpgradeRequiredError extends EnvironmentError {}

/** True for what undici throws when the network fails. Anything else it throws is a bug of ours, and must not be retried. */
export function isNetworkFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const isFetchError = error instanceof TypeError && /^(fetch failed|terminated)$/.test(error.message);
  return isFetchError || (systemErrorCode(error) ?? '').startsWith('UND_ERR_');
}

/** What a failed exchange with `origin`, through `proxy` or without one, means for a person, from the error undici threw. */
export function networkError(origin: string, error: unknown, proxy: ChosenProxy | null): NoAnswerError {
  const { text, hint } = explainNetworkFailure(origin, error, proxy);
  return new NoAnswerError(`cannot reach ${origin}: ${text}`, {
    cause: error,
    ...(hint === null ? {} : { hint }),
  });
}
