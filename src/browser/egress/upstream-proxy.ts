import { isIP } from 'node:net';
import { parseHostPattern } from '../../lib/host-pattern.ts';
import type { Target } from './network-rules.ts';

/** Proxies of this network that lead out of it, as addresses that may hold user and password; empty for none. */
export interface UpstreamProxies {
  /** For `http:` addresses. */
  readonly httpProxy: string;
  /** For everything that is tunnelled: `https:`, `ws:`, `wss:`. */
  readonly httpsProxy: string;
  /** Hosts that are reached without them, separated by commas: `.corp.example`, `10.0.0.0/8`, `intranet:8080`, `*`. */
  readonly noProxy: string;
}

export const noUpstream: UpstreamProxies = { httpProxy: '', httpsProxy: '', noProxy: '' };

/** Address of the proxy through which a host is reached, or null when it is reached directly. */
export function upstreamFor(
  { host, port }: Target,
  isTunnel: boolean,
  { httpProxy, httpsProxy, noProxy }: UpstreamProxies,
): string | null {
  const proxy = isTunnel ? httpsProxy || httpProxy : httpProxy;
  if (proxy === '') return null;
  const entries = noProxy.split(/[\s,]+/).filter((entry) => entry !== '');
  return entries.some((entry) => isExcepted(entry, host, port)) ? null : proxy;
}

/** As curl reads NO_PROXY: a name counts for all names below it, with a dot in front or without. Networks besides. */
function isExcepted(entry: string, host: string, port: number): boolean {
  if (entry === '*') return true;
  try {
    const name = entry.replace(/^\*?\./, '');
    const pattern = parseHostPattern(name);
    if (pattern.matchesHost(host, port)) return true;
    return pattern.network === null && isIP(host.replace(/^\[|\]$/g, '')) === 0
      ? parseHostPattern(`*.${name}`).matchesHost(host, port)
      : false;
  } catch {
    // An entry that nobody understands excepts nothing.
    return false;
  }
}
