import { timingSafeEqual } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { Agent, type Server as HttpServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream';
import type { SecureContext } from 'node:tls';
import {
  type PrepareRequestFunctionOpts,
  type PrepareRequestFunctionResult,
  RequestError,
} from 'proxy-chain';
import { type ProxyAddresses, whichProxy } from '../../lib/which-proxy.ts';
import { addressKind } from './address-kind.ts';
import { dial, pinnedLookup } from './dial.ts';
import { type EgressSession, openSession } from './egress-session.ts';
import { FilterServer } from './filter-server.ts';
import { hostLookup, type ResolveName } from './host-lookup.ts';
import { netErrorOf, netErrorOfStatus } from './net-errors.ts';
import { type NetworkRules, refusalOf, type Target } from './network-rules.ts';
import { SecuredProxyAgent } from './secured-proxy-agent.ts';

/** What the pages of a browser may reach, and how. All of it comes from this machine's configuration. */
export interface NetworkOptions {
  /** Rules of a run that brings none of its own. */
  readonly rules: NetworkRules;
  /** Without them everything is reached directly. */
  readonly upstream?: UpstreamProxies;
  /** Ports of the runner besides the proxy's own. Asked at each connection. */
  readonly ownPorts?: () => readonly number[];
  /** The system's resolver unless a test brings another. */
  readonly resolve?: ResolveName;
}

/** Proxies of the network around. */
export type UpstreamProxies = ProxyAddresses & {
  /** What the certificate of a proxy that is spoken to over TLS is checked against; what Node takes by itself if not given. */
  readonly trust?: SecureContext | null;
};

/** The one way from the pages of a browser to the network. */
export interface EgressProxy {
  /** `http://127.0.0.1:34567` */
  readonly url: string;
  /** A page's way through it. */
  open(): EgressSession;
  /** Ends all connections. Never rejects. */
  close(): Promise<void>;
}

const noUpstream: UpstreamProxies = { httpProxy: '', httpsProxy: '', noProxy: '' };

/** A host of no network: the proxy answers it itself, so that a page learns its credentials before it needs them. */
export const greetingUrl = 'http://proxy.invalid/';
const greetingHost = 'proxy.invalid';

/**
 * Starts a proxy on loopback that connects a page to what the rules of its run let it reach: names are looked up here,
 * once for each connection, all their addresses are judged, and the connection goes to what was judged.
 */
export async function startEgressProxy({
  upstream = noUpstream,
  ownPorts = () => [],
  resolve,
}: NetworkOptions): Promise<EgressProxy> {
  const sessions = new Map<string, EgressSession>();
  const chooseProxy = whichProxy(upstream);
  const addressesOf = hostLookup(resolve);
  const asked = new WeakMap<IncomingMessage, Asked>();
  const secured = new SecuredProxyAgent(upstream.trust ?? null);
  const server = new FilterServer(
    { host: '127.0.0.1', port: 0, prepareRequestFunction: prepare },
    (request, status) => {
      const about = asked.get(request);
      if (about === undefined || status === refusedStatus) return;
      const { session, target, isProxied } = about;
      if (session.failureOf(target) !== null) return;
      session.failed(target, netErrorOfStatus(status, isProxied));
    },
  );
  server.on(
    'tunnelConnectFailed',
    ({ customTag, response }: { customTag?: Asked; response: IncomingMessage }) => {
      const netError = [401, 407].includes(response.statusCode ?? 0)
        ? 'ERR_PROXY_AUTH_REQUESTED'
        : 'ERR_TUNNEL_CONNECTION_FAILED';
      customTag?.session.failed(customTag.target, netError);
    },
  );

  async function prepare(given: PrepareRequestFunctionOpts): Promise<PrepareRequestFunctionResult> {
    const session = sessionOf(given, sessions);
    if (session === null) return { requestAuthentication: true };
    const { request, isHttp } = given;
    if (isHttp && given.hostname === greetingHost) {
      return { customResponseFunction: () => ({ statusCode: 204 }) };
    }
    const target = readTarget(given);
    const about: Asked = { session, target, isProxied: false };
    asked.set(request, about);
    const { addresses, proxy } = await admit(session, target, !isHttp);
    withoutHeader(request, 'proxy-connection');
    about.isProxied = proxy !== null;
    if (proxy !== null) {
      const httpAgent = isHttp ? session.agent : tunnels;
      return { upstreamProxyUrl: proxy, customTag: about, httpAgent, httpsAgent: secured };
    }
    if (isHttp) return { httpAgent: session.agent, dnsLookup: pinnedLookup(addresses) as never };
    return { customConnectServer: await tunnel(session, target, addresses, request.socket) };
  }

  /** Where a request of the session may go. Throws RequestError when it may not, or nobody knows where the host is. */
  async function admit(
    session: EgressSession,
    target: Target,
    isTunnel: boolean,
  ): Promise<{ addresses: readonly string[]; proxy: string | null }> {
    const { rules } = session;
    if (rules === null) throw refused();
    const chosen = chooseProxy({ ...target, isSecure: isTunnel });
    const proxy = chosen === null ? null : upstream[chosen];
    const looking = addressesOf(target.host);
    let addresses: readonly string[] = [];
    try {
      addresses = await (proxy === null ? looking : within(looking, localLookupMs));
    } catch (error) {
      if (proxy === null) {
        // Rules that do not ask for addresses are told first: the name may be nobody's business outside.
        const refusal = refusalOf(target, [], rules, { ownPorts: [] });
        if (refusal !== null) {
          session.refused(refusal);
          throw refused();
        }
        session.failed(target, netErrorOf(error));
        throw new RequestError('not found', 502);
      }
      // The proxy of the network knows more names than this machine: it resolves them, and only the name is judged.
    }
    const refusal = refusalOf(target, addresses, rules, { ownPorts: [server.port, ...ownPorts()] });
    if (refusal !== null) {
      session.refused(refusal);
      throw refused();
    }
    session.reached(target);
    // What is on this machine is not reached through another one.
    const isHere = addresses.length > 0 && addresses.every((address) => addressKind(address) === 'loopback');
    return { addresses, proxy: isHere ? null : proxy };
  }

  await server.listen();
  return {
    url: `http://127.0.0.1:${server.port}`,
    open() {
      const session = openSession(() => sessions.delete(session.username));
      sessions.set(session.username, session);
      return session;
    },
    async close() {
      for (const session of [...sessions.values()]) session.close();
      await server.close(true).catch(() => {});
    },
  };
}

/** A tunnel is never asked for on a connection that was used before: the other proxy may just be closing it. */
const tunnels = new Agent({ keepAlive: false, noDelay: true });

interface Asked {
  session: EgressSession;
  target: Target;
  /** It goes on to the proxy of the network. */
  isProxied: boolean;
}

/** Longest a name may take to be looked up here where another proxy will look it up anyway. */
const localLookupMs = 1_500;

const refusedStatus = 403;

function refused(): RequestError {
  return new RequestError('refused', refusedStatus);
}

function sessionOf(
  { username, password }: PrepareRequestFunctionOpts,
  sessions: ReadonlyMap<string, EgressSession>,
): EgressSession | null {
  const session = sessions.get(username);
  if (session === undefined) return null;
  const [given, right] = [Buffer.from(password), Buffer.from(session.password)];
  return given.length === right.length && timingSafeEqual(given, right) ? session : null;
}

/** Host and port as a browser means them, whichever way they were spelt. Throws RequestError for what is no host. */
function readTarget({ hostname, port }: PrepareRequestFunctionOpts): Target {
  const address = `http://${hostname}/`;
  const host = URL.canParse(address) ? new URL(address).hostname.replace(/\.$/, '') : '';
  if (host === '') throw new RequestError('no host', 400);
  return { host, port };
}

/** A connection to the target, for the browser's socket as soon as that is handed over. */
async function tunnel(
  session: EgressSession,
  target: Target,
  addresses: readonly string[],
  source: Socket,
): Promise<HttpServer> {
  const socket = await dial(target, addresses, source).catch((error: unknown) => {
    session.failed(target, netErrorOf(error));
    throw new RequestError('not connected', 502);
  });
  session.hold(socket);
  // Of the server that proxy-chain hands sockets to it uses this event only.
  const joint = new EventEmitter().once('connection', (from: Socket) => {
    session.hold(from);
    // Node's server, proxy-chain and the pipeline listen to it, eleven times in all.
    from.setMaxListeners(20);
    pipeline(from, socket, from, () => {});
  });
  // It may be gone before it is handed over.
  source.once('close', () => socket.destroy());
  return joint as HttpServer;
}

/** Sites are not told that there is a proxy. */
function withoutHeader({ rawHeaders }: IncomingMessage, name: string): void {
  for (let place = rawHeaders.length - 2; place >= 0; place -= 2) {
    if (rawHeaders[place]?.toLowerCase() === name) rawHeaders.splice(place, 2);
  }
}

async function within<Value>(work: Promise<Value>, limitMs: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('too late')), limitMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
