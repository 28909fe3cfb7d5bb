import pRetry from 'p-retry';
import { EnvironmentError, errorText } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { isOutage } from '../outage.ts';

/** How long a bridge that starts waits for a server that starts beside it. */
const patienceMs = 30_000;

/**
 * What `connect` gives, tried again for half a minute while the server cannot be reached. Throws EnvironmentError, at once
 * when the server answers and refuses. `server` names it without its password.
 */
export async function reachServer<T>(
  server: string,
  variable: string,
  log: Log,
  connect: () => Promise<T>,
): Promise<T> {
  try {
    return await pRetry(connect, {
      retries: 100,
      minTimeout: 250,
      maxTimeout: 2_000,
      maxRetryTime: patienceMs,
      shouldRetry: ({ error }) => isOutage(error),
      onFailedAttempt: ({ error, attemptNumber }) => {
        if (attemptNumber === 1 && isOutage(error)) log.info(`waiting for ${server}`, { error });
      },
    });
  } catch (error) {
    throw new EnvironmentError(`cannot use ${server}: ${errorText(error)}`, {
      hint: `Check ${variable}, and that this machine may reach that server.`,
      cause: error,
    });
  }
}

/** `host:port/path` of a server's address, with neither user nor password nor parameters. */
export function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return host + (pathname === '/' ? '' : pathname);
}
