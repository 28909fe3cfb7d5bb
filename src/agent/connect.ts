import { systemClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { type BridgeClient, createBridgeClient } from './client/bridge-client.ts';
import { createTransport, type Transport } from './client/transport.ts';
import type { ProxySettings } from './config/agent-config.ts';
import type { Credentials } from './credentials/credentials.ts';
import { createIdentity, type Identity } from './credentials/identity.ts';

/** A runner's way to its bridge. */
export interface Connection {
  client: BridgeClient;
  transport: Transport;
  identity: Identity;
  /** Ends every socket. */
  close(): Promise<void>;
}

/** Connects as `credentials`; `save` keeps renewed ones. Nothing is sent before the first call. */
export function connectBridge(
  credentials: Credentials,
  {
    proxy,
    log,
    version,
    save = async () => {},
  }: {
    proxy: ProxySettings;
    log: Log;
    version: string;
    save?: (credentials: Credentials) => Promise<void>;
  },
): Connection {
  const transport = createTransport(proxy);
  const identity = createIdentity(credentials, save);
  const client = createBridgeClient({
    apiBaseUrl: credentials.apiBaseUrl,
    keys: identity,
    transport,
    clock: systemClock,
    log,
    version,
  });
  return { client, transport, identity, close: () => transport.close() };
}
