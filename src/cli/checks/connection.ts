import { duration } from '../../lib/duration.ts';
import { errorText, systemErrorCode } from '../../lib/errors.ts';
import { portOf } from '../../lib/host-and-port.ts';
import { type Check, connectMs, failed, ok } from './check.ts';

export const connection: Check = {
  name: 'connection',
  title: 'Connection',
  needs: ['proxy', 'dns'],
  fix: 'A firewall may drop it without a word: allow this machine to open connections to the bridge, or set HTTPS_PROXY',
  async run({ clock, target, way }, signal) {
    const url = await target();
    const port = portOf(url);
    const startedMs = clock.monotonicMs();
    const patience = AbortSignal.timeout(connectMs);
    try {
      const opened = await way.open(url, AbortSignal.any([signal, patience]));
      if ('refusal' in opened) return failed(`the proxy answers ${opened.refusal.status}`, connection.fix);
      const { remoteAddress } = opened.socket;
      opened.socket.destroy();
      const to = way.proxyFor(url) === null ? `to ${remoteAddress} port ${port}` : 'through the proxy';
      return ok(`opened ${to} in ${duration(clock.monotonicMs() - startedMs)}`);
    } catch (error) {
      signal.throwIfAborted();
      if (patience.aborted) {
        return failed(
          `${url.hostname} port ${port} does not answer within ${connectMs / 1_000} s`,
          connection.fix,
        );
      }
      if (systemErrorCode(error) === 'ECONNREFUSED') {
        return failed(
          `nothing listens at ${url.hostname} port ${port}`,
          'Check address and port, and that the bridge runs',
        );
      }
      if (['ENETUNREACH', 'EHOSTUNREACH'].includes(systemErrorCode(error) ?? '')) {
        return failed(
          `there is no way from this machine to ${url.hostname} port ${port} (${systemErrorCode(error)})`,
          'Check that this machine is on a network (ip route), and set HTTPS_PROXY where only a proxy leads out',
        );
      }
      return failed(`no connection to ${url.hostname} port ${port}: ${errorText(error)}`, connection.fix);
    }
  },
};
