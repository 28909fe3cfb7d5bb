import { type ChosenProxy, chooseProxy } from '../../agent/client/proxies.ts';
import { errorText, systemErrorCode } from '../../lib/errors.ts';
import { portOf } from '../../lib/host-and-port.ts';
import { parseNoProxy } from '../../lib/no-proxy.ts';
import { type Check, connectMs, type Finding, failed, ok } from './check.ts';
import { titleOf } from './page-title.ts';

export const proxy: Check = {
  name: 'proxy',
  title: 'Proxy',
  needs: ['address'],
  fix: 'Check HTTPS_PROXY, or go without it: NO_PROXY=<host of the bridge>',
  async run({ config, target: ask, way }, signal) {
    const target = await ask();
    const chosen = way.proxyFor(target);
    if (chosen === null) return ok(whyNone(target, config.proxy));
    const { origin, variable, authorization } = chosen;
    const named = `${origin} (${variable}${authorization === null ? '' : ', with user and password'})`;
    const patience = AbortSignal.timeout(connectMs);
    try {
      const opened = await way.open(target, AbortSignal.any([signal, patience]));
      if ('refusal' in opened) return refused(chosen, named, target, opened.refusal);
      opened.socket.destroy();
      return ok(`${named} lets through to ${target.hostname}:${portOf(target)}`);
    } catch (error) {
      signal.throwIfAborted();
      if (patience.aborted) {
        return failed(
          `${named} does not answer within ${connectMs / 1_000} s`,
          `Correct ${variable}, or go without it: NO_PROXY=${target.hostname}`,
        );
      }
      const known: Record<string, string> = {
        ECONNREFUSED: 'nothing listens there',
        ENOTFOUND: 'there is no such name',
        ECONNRESET: 'it closes the connection without a word',
      };
      return failed(
        `${named} cannot be used: ${known[systemErrorCode(error) ?? ''] ?? errorText(error)}`,
        `Correct ${variable}, or go without it: NO_PROXY=${target.hostname}`,
      );
    }
  },
};

function whyNone(
  target: URL,
  { httpProxy, httpsProxy, noProxy }: { httpProxy: string; httpsProxy: string; noProxy: string },
): string {
  const isSet = chooseProxy({ httpProxy, httpsProxy })(target) !== null;
  if (!isSet) return `none is set for ${target.protocol} addresses`;
  const entry = noProxy.split(/[,\s]+/).find((text) => parseNoProxy(text)(target.hostname, portOf(target)));
  return `none: NO_PROXY names ${target.hostname} (${entry})`;
}

function refused(
  { variable, authorization, origin }: ChosenProxy,
  named: string,
  target: URL,
  { status, start }: { status: number; start: string },
): Finding {
  const { hostname } = target;
  const authority = `${hostname}:${portOf(target)}`;
  const page = titleOf(start);
  const said = `${named} answers ${status}${page === null ? '' : ` ("${page}")`}`;
  // Some answer 401 to a password that is wrong.
  if (status === 407 || (status === 401 && authorization !== null)) {
    return failed(
      `${said}: it wants ${authorization === null ? 'a user and a password' : 'another user or password'}`,
      `Set ${variable}=${origin.replace('://', '://USER:PASSWORD@')} (special characters percent-encoded: @ is %40)`,
    );
  }
  if (status === 403 || status === 401) {
    const onlyHttps = portOf(target) === 443 ? '' : ' (many proxies let through to port 443 only)';
    return failed(
      `${said}: it does not let this machine through to ${authority}${onlyHttps}`,
      `Ask the administrator of the proxy to allow CONNECT to ${authority}, or go without it: NO_PROXY=${hostname}`,
    );
  }
  if (status >= 500 && status <= 504) {
    return failed(
      `${said}: it cannot reach ${authority} itself`,
      `Check the address; if it is inside your network, go without the proxy: NO_PROXY=${hostname}`,
    );
  }
  return failed(`${said} to CONNECT ${authority}: it is no proxy for such addresses`, `Correct ${variable}`);
}
