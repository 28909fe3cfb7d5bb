import { exitCode } from './exit-code.ts';

/** What an error may carry besides its message. */
export interface ErrorDetails {
  /** What to type or change next, one sentence. */
  hint?: string;
  /** Single problems behind the message, one line each. */
  problems?: readonly string[];
  cause?: unknown;
}

/**
 * An error a person can act on: it prints as message, problems and hint, without a stack.
 * Anything that is not one of these is a bug and crashes with its stack (exit code 70).
 */
export abstract class ExpectedError extends Error {
  abstract readonly exitCode: number;
  /** Stable name for programs (`--json`, logs). */
  abstract readonly code: string;
  readonly hint: string | undefined;
  readonly problems: readonly string[];

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.name = new.target.name;
    this.hint = details.hint;
    this.problems = details.problems ?? [];
  }
}

/** The command line, a flow file or a configuration value is wrong: correct it and run again. */
export class UsageError extends ExpectedError {
  readonly exitCode = exitCode.usage;
  readonly code = 'usage';
}

/** There are no credentials on this machine: pair first. */
export class NotPairedError extends ExpectedError {
  readonly exitCode = exitCode.notReady;
  readonly code = 'not_paired';
}

/** The bridge said that these credentials, or this pairing, are over (credentials only in a signed answer): stop and pair again. */
export class CredentialsRejectedError extends ExpectedError {
  readonly exitCode = exitCode.credentialsRefused;
  readonly code = 'credentials_refused';
}

/** This machine lacks something (browser, readable file, free port, unlocked folder): provide it. */
export class EnvironmentError extends ExpectedError {
  readonly exitCode = exitCode.notReady;
  readonly code = 'environment';
}

/** The bridge cannot be reached or does not answer as a bridge: try later or check the network. */
export class BridgeUnavailableError extends ExpectedError {
  readonly exitCode = exitCode.unavailable;
  readonly code = 'api_unavailable';
}

/** A server that this program needs does not answer (yet): start again later. Unlike EnvironmentError, waiting may be enough. */
export class ServerUnavailableError extends ExpectedError {
  readonly exitCode = exitCode.unavailable;
  readonly code = 'server_unavailable';
}

/** The bridge answered and refused: the request itself cannot succeed. */
export class RefusedError extends ExpectedError {
  readonly exitCode = exitCode.temporary;
  readonly code: string;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.code = code;
  }
}

/** The lease belongs to somebody else by now (409 `lease_lost`): stop acting, drop what is left of it. */
export class LeaseLostError extends ExpectedError {
  readonly exitCode = exitCode.temporary;
  readonly code = 'lease_lost';
}

/** What executed the run failed under it, so that nobody can say how it would have ended: stop acting, hand it back. */
export class RunInterruptedError extends ExpectedError {
  readonly exitCode = exitCode.temporary;
  readonly code = 'interrupted';
}

/** Somebody asked for this work to stop: the reason of the AbortSignal that carries it. */
export class CancelledError extends ExpectedError {
  readonly exitCode = exitCode.temporary;
  readonly code = 'cancelled';
}

/** A person or a service manager ended this command by a signal before it was done. */
export class StoppedError extends ExpectedError {
  readonly exitCode: number;
  readonly code = 'stopped';

  constructor(signal: 'SIGINT' | 'SIGTERM', message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.exitCode = signal === 'SIGINT' ? exitCode.interrupted : exitCode.terminated;
  }
}

/** The text of anything thrown, causes included: `fetch failed: connect ECONNREFUSED 127.0.0.1:1`. */
export function errorText(error: unknown): string {
  const texts: string[] = [];
  for (let current = error, depth = 0; current !== undefined && current !== null && depth < 6; depth += 1) {
    const text = current instanceof Error ? current.message : String(current);
    if (text !== '' && !texts.some((seen) => seen.includes(text))) texts.push(text);
    current = current instanceof Error ? current.cause : undefined;
  }
  return texts.join(': ');
}

/** The first system error code (`EACCES`, `ECONNREFUSED`) in an error or its causes, or null. */
export function systemErrorCode(error: unknown): string | null {
  for (let current = error, depth = 0; current instanceof Error && depth < 6; depth += 1) {
    const code: unknown = Reflect.get(current, 'code');
    if (typeof code === 'string') return code;
    current = current.cause;
  }
  return null;
}
