import {
  BridgeUnavailableError,
  EnvironmentError,
  type ErrorDetails,
  errorText,
  RefusedError,
  systemErrorCode,
} from '../../lib/errors.ts';

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

/** What a failed exchange with `origin` means for a person, from the error undici threw. */
export function networkError(origin: string, error: unknown): NoAnswerError {
  const text = errorText(error);
  const hint = hintFor(systemErrorCode(error) ?? '', text);
  return new NoAnswerError(`cannot reach ${origin}: ${text}`, {
    cause: error,
    ...(hint === null ? {} : { hint }),
  });
}

function hintFor(code: string, text: string): string | null {
  if (/Proxy response \(407\)|Authentication Required/.test(text)) {
    return 'The proxy wants a user name and password: HTTPS_PROXY=http://user:password@host:port';
  }
  if (/Proxy response/.test(text))
    return 'The proxy in HTTPS_PROXY refuses this address; ask its administrator.';
  if (/SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(code)) {
    return 'A proxy that opens TLS may be in between: set NODE_EXTRA_CA_CERTS to the file of its certificate.';
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'Check the address, the DNS, and HTTPS_PROXY.';
  if (code === 'ECONNREFUSED') return 'Check that the bridge runs and that address and port are right.';
  return null;
}
