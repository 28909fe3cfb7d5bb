import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A load balancer as simple as they come: each request to the next backend, whoever sent it. */
export interface LoadBalancer {
  readonly url: string;
  /** The backends from now on; a request under way stays where it is. */
  use(backends: readonly string[]): void;
  close(): Promise<void>;
}

/**
 * Listens on loopback. A backend that refuses the connection is passed over; one that dies under a request gives 502. Of the
 * answers to paths that `keepsBack` names it passes on the head alone, as a proxy does that waits for their end.
 */
export async function loadBalancer({
  keepsBack = () => false,
}: {
  keepsBack?: (path: string) => boolean;
} = {}): Promise<LoadBalancer> {
  let backends: readonly string[] = [];
  let turn = 0;

  function forward(from: IncomingMessage, to: ServerResponse, body: Buffer, triesLeft: number): void {
    const backend = backends[turn % Math.max(1, backends.length)];
    turn += 1;
    if (backend === undefined || triesLeft === 0) {
      to.writeHead(503).end();
      return;
    }
    const out = request(
      new URL(from.url ?? '/', backend),
      { method: from.method, headers: from.headers },
      (answer) => {
        to.writeHead(answer.statusCode ?? 502, answer.headers);
        if (keepsBack(from.url ?? '')) {
          to.flushHeaders();
          answer.resume();
        } else answer.pipe(to);
        answer.on('error', () => to.destroy());
      },
    );
    out.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') forward(from, to, body, triesLeft - 1);
      else if (to.headersSent) to.destroy();
      else to.writeHead(502).end();
    });
    to.on('close', () => out.destroy());
    out.end(body);
  }

  const server = createServer((from, to) => {
    const chunks: Buffer[] = [];
    from.on('data', (chunk: Buffer) => chunks.push(chunk));
    from.on('end', () => forward(from, to, Buffer.concat(chunks), backends.length));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    use(next) {
      backends = next;
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
