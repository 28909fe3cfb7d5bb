import { parseNoProxy } from './no-proxy.ts';

/** Proxies of this network that lead out of it, as addresses that may hold user and password; empty for none. */
export interface ProxyAddresses {
  /** For `http:` addresses; for all others, too, where `httpsProxy` is empty. */
  readonly httpProxy: string;
  /** For everything that is tunnelled: `https:`, `wss:`. */
  readonly httpsProxy: string;
  /** Hosts that are reached without them, as `NO_PROXY` writes them. */
  readonly noProxy: string;
}

/** Where something is about to be sent. */
interface Destination {
  host: string;
  port: number;
  isSecure: boolean;
}

/** Says for a destination which of the proxies leads there; null for a direct connection. */
export function whichProxy({
  httpProxy,
  httpsProxy,
  noProxy,
}: ProxyAddresses): (destination: Destination) => 'httpProxy' | 'httpsProxy' | null {
  const http = httpProxy === '' ? null : 'httpProxy';
  const https = httpsProxy === '' ? http : 'httpsProxy';
  const isDirect = parseNoProxy(noProxy);
  return ({ host, port, isSecure }) => {
    const proxy = isSecure ? https : http;
    return proxy === null || isDirect(host, port) ? null : proxy;
  };
}
