import { portOf } from '../../lib/host-and-port.ts';
import { whichProxy } from '../../lib/which-proxy.ts';
import type { ProxySettings } from '../config/agent-config.ts';

/** A proxy without what must not be told. */
export interface ChosenProxy {
  /** `http://proxy:3128`. */
  readonly origin: string;
  readonly host: string;
  /** The variable that names it. */
  readonly variable: 'HTTP_PROXY' | 'HTTPS_PROXY';
  /** `Basic …`; null where the address holds no user name. */
  readonly authorization: string | null;
}

/** Chooses the proxy for an address; null for a direct connection. https goes through HTTP_PROXY where HTTPS_PROXY is not set. */
export function chooseProxy({
  httpProxy = '',
  httpsProxy = '',
  noProxy = '',
}: Partial<ProxySettings>): (url: URL) => ChosenProxy | null {
  const proxies = {
    httpProxy: httpProxy === '' ? null : readProxy(httpProxy, 'HTTP_PROXY'),
    httpsProxy: httpsProxy === '' ? null : readProxy(httpsProxy, 'HTTPS_PROXY'),
  };
  const choose = whichProxy({ httpProxy, httpsProxy, noProxy });
  return (url) => {
    const chosen = choose({ host: url.hostname, port: portOf(url), isSecure: url.protocol === 'https:' });
    return chosen === null ? null : proxies[chosen];
  };
}

function readProxy(address: string, variable: ChosenProxy['variable']): ChosenProxy {
  const { origin, hostname, username, password } = new URL(address);
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization = username === '' ? null : `Basic ${Buffer.from(pair).toString('base64')}`;
  return { origin, host: hostname, variable, authorization };
}
