/** Chromium's name for an error of a connection that the proxy made in its place. */
export function netErrorOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code.startsWith('HPE_')) return 'ERR_INVALID_HTTP_RESPONSE';
  return byCode[code] ?? 'ERR_CONNECTION_FAILED';
}

/**
 * The same for the status with which proxy-chain answers when the connection breaks before there is an answer. `isProxied`:
 * the connection was one to another proxy.
 */
export function netErrorOfStatus(status: number, isProxied: boolean): string {
  if (isProxied && status !== 597) return 'ERR_PROXY_CONNECTION_FAILED';
  return byStatus[status] ?? 'ERR_CONNECTION_FAILED';
}

const byCode: Readonly<Record<string, string>> = {
  ENOTFOUND: 'ERR_NAME_NOT_RESOLVED',
  EAI_AGAIN: 'ERR_NAME_NOT_RESOLVED',
  EAI_NODATA: 'ERR_NAME_NOT_RESOLVED',
  EAI_FAIL: 'ERR_NAME_NOT_RESOLVED',
  ECONNREFUSED: 'ERR_CONNECTION_REFUSED',
  ECONNRESET: 'ERR_CONNECTION_RESET',
  EPIPE: 'ERR_CONNECTION_RESET',
  ETIMEDOUT: 'ERR_CONNECTION_TIMED_OUT',
  EHOSTUNREACH: 'ERR_ADDRESS_UNREACHABLE',
  ENETUNREACH: 'ERR_ADDRESS_UNREACHABLE',
  EADDRNOTAVAIL: 'ERR_ADDRESS_UNREACHABLE',
};

const byStatus: Readonly<Record<number, string>> = {
  404: 'ERR_NAME_NOT_RESOLVED',
  504: 'ERR_CONNECTION_TIMED_OUT',
  592: 'ERR_INVALID_HTTP_RESPONSE',
  593: 'ERR_NAME_NOT_RESOLVED',
  594: 'ERR_CONNECTION_REFUSED',
  // Most often: the other side closed without a word.
  595: 'ERR_EMPTY_RESPONSE',
  596: 'ERR_CONNECTION_RESET',
  597: 'ERR_PROXY_AUTH_REQUESTED',
};
