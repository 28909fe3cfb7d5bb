import { errorText, systemErrorCode } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';

const maxLength = 200;

/**
 * Why something does not work, for everybody who may ask: without addresses, names of hosts and users, and secrets. Where
 * an error has a code, that is all that is said: the texts beside codes name what was connected to.
 */
export function publicReason(error: unknown): string {
  const code = systemErrorCode(error);
  if (code !== null) return `error ${code}`;
  return printable(deepest(error)).replace(addresses, '…').slice(0, maxLength);
}

// What a driver said, not the statement that was wrapped around it.
function deepest(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? deepest(error.cause) : errorText(error);
}

/** URLs, `user@host`, IPv4 and IPv6 addresses and `host:port`. */
const addresses =
  /\b[a-z][a-z0-9+.-]*:\/\/\S+|\S+@\S+|\b\d{1,3}(\.\d{1,3}){3}(:\d+)?|\[?([0-9a-f]{0,4}:){2,}[0-9a-f.]*\]?(:\d+)?|\b[a-z0-9.-]+:\d{2,5}\b/gi;
