import type { LookupFunction } from 'node:net';
import { Agent, type Dispatcher, Pool, ProxyAgent, fetch as undiciFetch } from 'undici';
import type { ProxySettings } from '../config/agent-config.ts';
import { NoAnswerError } from './bridge-errors.ts';
import { type ChosenProxy, chooseProxy } from './proxies.ts';
import { trustedCertificates } from './trusted-certificates.ts';

/** One request as bytes. Redirects are never followed. */
interface RawRequest {
  method: string;
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Null for no body. */
  body: Uint8Array | null;
  signal: AbortSignal;
}

/** An answer whose body was not read yet. */
export type RawResponse = Awaited<ReturnType<typeof undiciFetch>>;

/** The way out of this machine: sockets, proxies and time-outs. */
export interface Transport {
  send(request: RawRequest): Promise<RawResponse>;
  /** The proxy that requests to this address go through, null for none: for messages. */
  proxyFor(url: string): ChosenProxy | null;
  /** Ends every socket; requests under way fail. */
  close(): Promise<void>;
}

/** Opening a connection, through a proxy too, in ms. Source: reference measurements of frozen proxies. */
const connectTimeoutMs = 10_000;
/** Longest silence before an answer begins: the longest poll (55 s) and 15 s more. Callers have shorter time-outs of their own. */
const headersTimeoutMs = 70_000;
/**
 * Longest an unused connection is kept, whatever the bridge offers: after a change of networks each one that is left must
 * be found dead by a request of its own, and a lease has time for a few of those only.
 */
const keepAliveMaxMs = 10_000;
/** Longest silence within an answer; the control stream says something every 15 s. */
const bodyTimeoutMs = 40_000;

/**
 * Makes the transport for these proxies and certificates. The environment is not read: the settings say everything.
 * `lookup` finds the addresses of hosts that are reached without a proxy.
 */
export function createTransport(
  settings: Partial<ProxySettings>,
  { lookup }: { lookup?: LookupFunction } = {},
): Transport {
  const secureContext = trustedCertificates(settings);
  const connect = {
    timeout: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelay: 15_000,
    ...(secureContext === null ? {} : { secureContext }),
  };
  const times = {
    allowH2: false,
    headersTimeout: headersTimeoutMs,
    bodyTimeout: bodyTimeoutMs,
    keepAliveMaxTimeout: keepAliveMaxMs,
  };
  const proxyOf = chooseProxy(settings);
  const dispatchers = new Map<ChosenProxy | null, Dispatcher>();
  let isClosed = false;
  const dispatcherOf = (proxy: ChosenProxy | null): Dispatcher => {
    const dispatcher =
      dispatchers.get(proxy) ??
      (proxy === null
        ? new Agent({ ...times, connect: lookup === undefined ? connect : { ...connect, lookup } })
        : through(proxy));
    dispatchers.set(proxy, dispatcher);
    if (isClosed) void dispatcher.destroy();
    return dispatcher;
  };
  const through = ({ origin, authorization }: ChosenProxy): Dispatcher =>
    new ProxyAgent({
      ...times,
      uri: origin,
      ...(authorization === null ? {} : { token: authorization }),
      requestTls: connect,
      proxyTls: connect,
      // A proxy's own headersTimeout does not cover its CONNECT phase: a frozen proxy would hold us for minutes.
      clientFactory: (proxyOrigin: URL, options: object) =>
        new Pool(proxyOrigin, { ...options, headersTimeout: connectTimeoutMs }),
    });
  return {
    send: ({ url, ...init }) =>
      undiciFetch(url, { ...init, dispatcher: dispatcherOf(proxyOf(new URL(url))), redirect: 'manual' }),
    proxyFor: (url) => proxyOf(new URL(url)),
    async close() {
      isClosed = true;
      await Promise.all([...dispatchers.values()].map((dispatcher) => dispatcher.destroy()));
    },
  };
}

/** The whole body, up to `maxBytes`. Throws NoAnswerError for a longer one. */
export async function readBody(response: RawResponse, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  if (response.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    const part: Uint8Array = chunk;
    bytes += part.byteLength;
    if (bytes > maxBytes) throw new NoAnswerError(`the answer is longer than ${maxBytes} bytes`);
    chunks.push(part);
  }
  const whole = new Uint8Array(bytes);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}
