import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Route, type RouteName, routes } from '../../src/protocol/routes.ts';
import type { Exchanged } from './wire-form.ts';

/** Stands between runner and bridge and hears every answered exchange of a runner. */
export interface RecordingProxy {
  url: string;
  /** Where the bridge is; set before the first request. */
  target: string;
  /** Routes that are answered 503 instead of passed on. */
  readonly refused: Set<string>;
  close(): Promise<void>;
}

/** Starts it on a free port; the bridge behind it must take its address as PUBLIC_URL. */
export async function startRecordingProxy(hear: (exchange: Exchanged) => void): Promise<RecordingProxy> {
  const server = createServer((incoming, response) => {
    void pass(incoming, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: RecordingProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    target: '',
    refused: new Set(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;

  async function pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = incoming.method ?? '';
    const path = incoming.url ?? '/';
    const body = await readAll(incoming);
    const name = routeOf(method, path.split('?')[0] ?? '');
    if (name !== null && proxy.refused.has(name)) return void response.writeHead(503).end('not now');
    const outgoing = httpRequest(proxy.target + path, { method, headers: incoming.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      const told = (): void => {
        if (name === null || routes[name].auth.startsWith('operator')) return;
        hear({
          name,
          method,
          path,
          headers: incoming.headers,
          body,
          answer,
          answerBody: Buffer.concat(chunks),
        });
      };
      const chunks: Buffer[] = [];
      // A stream has no end worth waiting for.
      if (answer.headers['content-type']?.startsWith('text/event-stream') === true) told();
      else answer.on('end', told);
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    response.on('close', () => outgoing.destroy());
    outgoing.end(body);
  }
}

function routeOf(method: string, path: string): RouteName | null {
  for (const name of Object.keys(routes) as RouteName[]) {
    const route: Route = routes[name];
    const pattern = new RegExp(`^${route.path.replace(/:(\w+)/g, '[^/]+').replace('*', '.+')}$`);
    if (route.method === method && pattern.test(path)) return name;
  }
  return null;
}

async function readAll(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
