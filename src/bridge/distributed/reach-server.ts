import pRetry from 'p-retry';
import { CancelledError, EnvironmentError, errorText, ServerUnavailableError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { isOutage } from '../outage.ts';

/** What waiting for a server needs. */
export interface ReachDeps {
  log: Log;
  /** Ends the waiting: somebody wants this program to stop. */
  signal?: AbortSignal | undefined;
  /** How long a server that starts beside this program is waited for. */
  patienceMs?: number | undefined;
}

/**
 * What `connect` gives, tried again for half a minute while the server cannot be reached; then it throws
 * ServerUnavailableError. Throws EnvironmentError at once when the server answers and refuses, CancelledError when `signal`
 * ends it. `server` names it without its password.
 */
export async function reachServer<T>(
  server: string,
  variable: string,
  { log, signal, patienceMs = 30_000 }: ReachDeps,
  connect: () => Promise<T>,
): Promise<T> {
  // Kept here, because a retry that is ended the moment it succeeds would drop a connection that nobody then ends.
  let reached: { value: T } | null = null;
  const attempt = async (): Promise<T> => {
    reached = { value: await connect() };
    return reached.value;
  };
  try {
    return await pRetry(attempt, {
      retries: 100,
      minTimeout: 250,
      maxTimeout: 2_000,
      maxRetryTime: patienceMs,
      ...(signal === undefined ? {} : { signal }),
      shouldRetry: ({ error }) => isOutage(error),
      onFailedAttempt: ({ error, attemptNumber }) => {
        if (attemptNumber === 1 && isOutage(error)) {
          log.warn(`waiting for ${server}, for up to ${patienceMs / 1_000} s`, { error });
        }
      },
    });
  } catch (error) {
    if (reached !== null) return (reached as { value: T }).value;
    if (signal?.aborted === true) throw new CancelledError(`stopped while waiting for ${server}`);
    if (isOutage(error)) {
      throw new ServerUnavailableError(`${server} does not answer: ${errorText(error)}`, {
        hint: `Start that server, or check ${variable} and that this machine may reach it.`,
        cause: error,
      });
    }
    throw new EnvironmentError(`cannot use ${server}: ${errorText(error)}`, {
      hint: `Check ${variable}: the server answered and refused.`,
      cause: error,
    });
  }
}

/** `host:port/path` of a server's address, with neither user nor password nor parameters. */
export function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return host + (pathname === '/' ? '' : pathname);
}
