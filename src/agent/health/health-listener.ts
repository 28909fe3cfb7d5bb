import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { hostname } from 'node:os';
import { EnvironmentError, errorText, systemErrorCode } from '../../lib/errors.ts';
import type { ListenAddress } from '../config/listen-address.ts';

/** What a path answers. */
export interface HealthAnswer {
  status: 200 | 503;
  contentType: string;
  text: string;
}

/** A listener that answers. */
export interface HealthListener {
  /** As `http://127.0.0.1:4871`. */
  readonly url: string;
  readonly port: number;
  /** Resolves when its port is free again. Never rejects. */
  close(): Promise<void>;
}

/** Longest a request may take to come in: nothing of it is long. */
const requestMs = 5_000;
/** Connections at a time; a supervisor and a scraper need two. */
const maxConnections = 20;

/**
 * Answers `paths` over HTTP. It changes nothing and takes nothing in: GET and HEAD only, bodies are not read. A page that a browser
 * shows must not read it through a name that it made lead here, so `Host` must be an IP address or `localhost`; from other machines also
 * the name of this one, or one without dots, as containers have.
 * Throws EnvironmentError when the address cannot be listened on.
 */
export async function openHealthListener(
  { host, port, isLoopback }: ListenAddress,
  paths: Readonly<Record<string, () => Promise<HealthAnswer>>>,
): Promise<HealthListener> {
  const server = createServer(
    {
      requestTimeout: requestMs,
      headersTimeout: requestMs,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 8_192,
    },
    (request, response) => void respond(request, response),
  );
  server.maxConnections = maxConnections;
  server.keepAliveTimeout = requestMs;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(host, port, error)));
    server.listen({ host, port }, resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, headers, url = '' } = request;
    if (method !== 'GET' && method !== 'HEAD')
      return refuse(response, 405, 'only GET is answered', { allow: 'GET, HEAD' });
    if (headers.host !== undefined && !isNameOfOurs(headers.host, isLoopback)) {
      return refuse(
        response,
        421,
        `the Host header must be an IP address or localhost${isLoopback ? '' : `, ${hostname()}, or a name without dots`}`,
      );
    }
    const [path = ''] = url.split('?', 1);
    const answer = Object.hasOwn(paths, path) ? paths[path] : undefined;
    if (answer === undefined) return refuse(response, 404, `there is ${Object.keys(paths).join(', ')}`);
    try {
      const { status, contentType, text } = await answer();
      send(response, status, text, { 'content-type': contentType });
    } catch (error) {
      refuse(response, 500, errorText(error));
    }
  }
}

/** True for what DNS gives to no stranger: an address, the name that every machine keeps for itself, and names inside a network. */
function isNameOfOurs(hostHeader: string, isLoopback: boolean): boolean {
  const [, host = ''] = /^(.*?)(?::\d{1,5})?$/.exec(hostHeader) ?? [];
  const name = host.toLowerCase();
  if (name === 'localhost') return true;
  if (!isLoopback && (name === hostname().toLowerCase() || /^[a-z0-9_-]*[a-z_-][a-z0-9_-]*$/.test(name)))
    return true;
  return host.startsWith('[') ? host.endsWith(']') && isIP(host.slice(1, -1)) === 6 : isIP(host) === 4;
}

function refuse(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  send(response, status, `${text}\n`, {
    'content-type': 'text/plain; charset=utf-8',
    connection: 'close',
    ...headers,
  });
}

function send(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>>,
): void {
  response
    .writeHead(status, {
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      ...headers,
    })
    .end(text);
}

function cannotListen(host: string, port: number, cause: unknown): EnvironmentError {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another program listens there',
    EADDRNOTAVAIL: 'this machine does not have that address',
    EACCES: 'this user may not listen on that port',
  };
  const reason = reasons[systemErrorCode(cause) ?? ''] ?? errorText(cause);
  return new EnvironmentError(`the health listener cannot listen on ${host} port ${port}: ${reason}`, {
    cause,
    hint: 'Choose another one with --health-listen (QUALINET_HEALTH_LISTEN), such as --health-listen 127.0.0.1:4872',
  });
}
