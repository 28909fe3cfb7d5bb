import { type Dispatcher, EnvHttpProxyAgent, Pool, fetch as undiciFetch } from 'undici';
import type { ProxySettings } from '../config/agent-config.ts';
import { NoAnswerError } from './bridge-errors.ts';

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

/** Makes the transport for these proxies. The environment is not read: the settings say everything. */
export function createTransport(proxy: ProxySettings): Transport {
  const connect = { timeout: connectTimeoutMs, keepAlive: true, keepAliveInitialDelay: 15_000 };
  const dispatcher: Dispatcher = new EnvHttpProxyAgent({
    ...proxy,
    allowH2: false,
    connect,
    requestTls: connect,
    proxyTls: connect,
    headersTimeout: headersTimeoutMs,
    bodyTimeout: bodyTimeoutMs,
    keepAliveMaxTimeout: keepAliveMaxMs,
    // A proxy's own headersTimeout does not cover its CONNECT phase: a frozen proxy would hold us for minutes.
    clientFactory: (origin: URL, options: object) =>
      new Pool(origin, { ...options, headersTimeout: connectTimeoutMs }),
  });
  return {
    send: ({ url, ...init }) => undiciFetch(url, { ...init, dispatcher, redirect: 'manual' }),
    close: () => dispatcher.destroy(),
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
