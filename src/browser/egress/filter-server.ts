import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestError, Server, type ServerOptions } from 'proxy-chain';

/**
 * proxy-chain's server, except that what the proxy itself has to say is an error of the network to the browser, never a
 * document: a page can neither read it nor imitate it, and an address that is not reached fails as it does without a proxy.
 */
export class FilterServer extends Server {
  readonly #onBroken: (request: IncomingMessage, status: number) => void;

  /** `onBroken` hears of requests whose connection broke before there was an answer. */
  constructor(options: ServerOptions, onBroken: (request: IncomingMessage, status: number) => void) {
    super(options);
    this.#onBroken = onBroken;
  }

  override async onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse;
    // What a site answered has its head written by now; proxy-chain's own answers have not.
    const guarded = (...args: unknown[]): ServerResponse => {
      if (response.headersSent || !isOwnStatus(response.statusCode)) return end(...args);
      this.#onBroken(request, response.statusCode);
      request.socket.end(noAnswer);
      return response;
    };
    response.end = guarded as ServerResponse['end'];
    await super.onRequest(request, response);
  }

  override failRequest(request: IncomingMessage, error: NodeJS.ErrnoException): void {
    const status = error instanceof RequestError ? error.statusCode : 500;
    this.#onBroken(request, status);
    if (status === 407) request.socket.end(whoAreYou);
    else request.socket.end(request.method === 'CONNECT' ? noTunnel : noAnswer);
  }
}

/** How proxy-chain says why it got no answer; 204 is the one answer of ours (egress-proxy.ts). */
function isOwnStatus(status: number): boolean {
  return status >= 400;
}

// proxy-chain writes this by the name of the error's class, which a bundle may change.
const whoAreYou =
  'HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm="qualinet"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n';

const noTunnel = 'HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n';

/**
 * An answer that browsers take for a broken one, once and for all. A connection that was just closed would be an
 * invitation to send the request again, which may have been done already.
 */
const noAnswer =
  'HTTP/1.1 502 Bad Gateway\r\ncontent-length: 1\r\ncontent-length: 2\r\nconnection: close\r\n\r\n';
