/** Codes of the network and of PostgreSQL that mean: the server is not there, or going, or coming, or has no room. */
const outageCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  // Source: postgresql.org/docs/current/errcodes-appendix.html, classes 08 (connection), 53 and 57; and 25006, which a server
  // says that another one takes over from.
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
  '25006',
  '53000',
  '53100',
  '53200',
  '53300',
  '57P01',
  '57P02',
  '57P03',
]);

/** Texts of pg and ioredis for errors that carry no code. */
const outageTexts =
  /connection terminated|timeout exceeded when trying to connect|query read timeout|connection is closed|command timed out|max ?retries per request|stream isn't writeable|socket timeout|loading the dataset|READONLY You can't write/i;

/** True when an error means that a server cannot be reached or used for now: the same request may succeed later. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  if (
    outageCodes.has(code) ||
    outageTexts.test(error.message) ||
    error.name === 'MaxRetriesPerRequestError'
  ) {
    return true;
  }
  return error.cause !== undefined && isOutage(error.cause);
}

/** True when Redis answers and takes no more data for now: its memory is full, or it cannot save. */
export function hasNoRoom(error: unknown): boolean {
  return error instanceof Error && /\b(?:OOM command not allowed|MISCONF)\b/.test(error.message);
}
