import { isIP } from 'node:net';

/** Where a listener listens. */
export interface ListenAddress {
  host: string;
  /** 0 for any that is free. */
  port: number;
  /** Only this machine reaches it. */
  isLoopback: boolean;
}

/**
 * Reads `4871` (this machine only), `127.0.0.1:4871` or `[::1]:4871`. Throws a text that says what is wrong with it. Of names only
 * `localhost` is taken: what another one leads to may change, and with it who is let in.
 */
export function parseListenAddress(text: string): ListenAddress {
  const [, written, digits] = /^(?:(.*):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new Error(`"${text}" is not PORT or HOST:PORT; write 127.0.0.1:4871`);
  }
  const host = written === undefined ? '127.0.0.1' : hostIn(written);
  if (host === 'localhost') return { host, port, isLoopback: true };
  if (isIP(host) === 0) {
    throw new Error(`"${host}" is no address; write 127.0.0.1, or another IP address of this machine`);
  }
  return { host, port, isLoopback: host === '::1' || host.startsWith('127.') };
}

function hostIn(written: string): string {
  const [, inBrackets] = /^\[(.+)\]$/.exec(written) ?? [];
  if (inBrackets !== undefined) return inBrackets;
  // Nobody could tell where its port begins.
  if (isIP(written) === 6) throw new Error(`an IPv6 address needs brackets: [${written}]:4871`);
  return written;
}
