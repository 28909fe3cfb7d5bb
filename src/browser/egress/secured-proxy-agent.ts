import { Agent } from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import { bareHost } from '../../lib/host-and-port.ts';

/**
 * Connections to a proxy that is spoken to over TLS, a new one for each tunnel. Its certificate must be that of the proxy: by
 * itself Node takes the host that the tunnel leads to for the name of the server.
 */
export class SecuredProxyAgent extends Agent {
  /** `trust` is what the certificate is checked against; null for what Node takes by itself. */
  constructor(trust: SecureContext | null) {
    super({ keepAlive: false, noDelay: true, ...(trust === null ? {} : { secureContext: trust }) });
  }

  override createConnection(
    ...[options, callback]: Parameters<Agent['createConnection']>
  ): Duplex | null | undefined {
    const host = bareHost(String(options.host ?? ''));
    return super.createConnection({ ...options, servername: isIP(host) === 0 ? host : '' }, callback);
  }
}
