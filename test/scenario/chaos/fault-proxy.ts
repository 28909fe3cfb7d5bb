import {
  Agent,
  createServer,
  type IncomingMessage,
  type ServerResponse,
  request as sendRequest,
} from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { RouteName } from '../../../src/protocol/routes.ts';
import { until } from '../../support/until.ts';
import type { Fault } from './fault.ts';
import { routeNameOf, runnerIdOf } from './proxied-route.ts';

/** One request of a runner, whole, before anything is done with it. */
interface ProxiedRequest {
  /** 0, 1, 2, ... over the life of the proxy. */
  readonly ordinal: number;
  /** Null for what is in no table. */
  readonly route: RouteName | null;
  readonly runnerId: string | null;
  readonly method: string;
  readonly path: string;
}

/** Bytes that went one way. */
interface Traffic {
  readonly direction: 'sent' | 'received';
  readonly route: RouteName | null;
  readonly bytes: Buffer;
}

/** What stands between runners and their bridge, and breaks on order. */
export interface FaultProxy {
  readonly url: string;
  /** Everything runners sent and were sent, for the search for secrets. */
  readonly traffic: readonly Traffic[];
  /** Requests so far, in order of arrival. */
  readonly requests: readonly ProxiedRequest[];
  /** How often each fault struck. */
  readonly struck: ReadonlyMap<string, number>;
  /** Decides what happens to each request from now on; null for nothing special. */
  use(decide: (request: ProxiedRequest) => Fault | null): void;
  /** Connections in which nothing was said for this long are cut, as many proxies do; null: never. */
  cutIdleAfter(ms: number | null): void;
  /** Refuses connections and cuts those there are, as a machine that has gone. */
  refuse(): Promise<void>;
  /** Accepts connections again. */
  accept(): Promise<void>;
  /** Ends every fault: whatever hangs is cut, and new connections work. */
  heal(): Promise<void>;
  close(): Promise<void>;
}

/** Longest a request is held back to let the next one pass. */
const holdBackMs = 1_500;
/** A slow answer is written so: 4 bytes, then this pause. */
const slowPauseMs = 250;

/** Starts one on a free loopback port in front of `bridgeUrl()`. */
export async function startFaultProxy(bridgePort: () => number): Promise<FaultProxy> {
  const traffic: Traffic[] = [];
  const requests: ProxiedRequest[] = [];
  const struck = new Map<string, number>();
  const sockets = new Set<Socket>();
  const agent = new Agent({ keepAlive: true });
  /** Requests that hang on purpose, and what ends them. */
  const held = new Set<() => void>();
  let decide: (request: ProxiedRequest) => Fault | null = () => null;
  let idleMs: number | null = null;
  let port = 0;
  let isClosed = false;
  let passed = 0;

  const server = createServer(
    (incoming, response) => void handle(incoming, response).catch(() => cut(incoming)),
  );
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  await listen();

  return {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    traffic,
    requests,
    struck,
    use(next) {
      decide = next;
    },
    cutIdleAfter(ms) {
      idleMs = ms;
    },
    async refuse() {
      count('refused');
      await stopListening();
    },
    async accept() {
      if (!server.listening && !isClosed) await listen();
    },
    async heal() {
      decide = () => null;
      idleMs = null;
      for (const release of held) release();
      held.clear();
      if (!server.listening && !isClosed) await listen();
    },
    async close() {
      isClosed = true;
      for (const release of held) release();
      await stopListening();
      agent.destroy();
    },
  };

  async function listen(): Promise<void> {
    // The port was ours and is asked for again: it may take a moment until the system gives it back.
    await until(
      'the proxy listens again',
      () =>
        new Promise<boolean>((resolve) => {
          const onError = (): void => resolve(false);
          server.once('error', onError);
          server.listen(port, '127.0.0.1', () => {
            server.off('error', onError);
            resolve(true);
          });
        }),
    );
    const address = server.address();
    if (address !== null && typeof address === 'object') port = address.port;
  }

  async function stopListening(): Promise<void> {
    if (!server.listening) return;
    const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.resetAndDestroy();
    await stopped;
  }

  function count(kind: string): void {
    struck.set(kind, (struck.get(kind) ?? 0) + 1);
  }

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(incoming);
    const method = incoming.method ?? 'GET';
    const path = incoming.url ?? '/';
    const route = routeNameOf(method, path);
    const request = { ordinal: requests.length, route, runnerId: runnerIdOf(incoming.headers), method, path };
    requests.push(request);
    traffic.push({ direction: 'sent', route, bytes: Buffer.concat([headOf(incoming), body]) });
    const fault = decide(request);
    if (fault !== null) count(fault.kind);
    const forward = (): Promise<IncomingMessage> => send(incoming, body, response);
    const pass = async (): Promise<void> => answer(await forward(), response, route);
    await strike(fault, { incoming, response, route, forward, pass });
    passed += 1;
  }

  async function strike(fault: Fault | null, exchange: Exchange): Promise<void> {
    const { incoming, response, forward, pass, route } = exchange;
    switch (fault?.kind) {
      case undefined:
        return pass();
      case 'reset':
        return cut(incoming);
      case 'requestLost':
        return void incoming.socket.destroy();
      case 'blackHole':
        await Promise.race([delay(fault.forMs, undefined, { ref: false }), hang(incoming)]);
        return cut(incoming);
      case 'answerLost':
        await wholeBody(await forward());
        return cut(incoming);
      case 'halfAnswer': {
        const { message, body } = await whole(await forward());
        response.writeHead(message.statusCode ?? 500, message.rawHeaders);
        response.write(body.subarray(0, Math.floor(body.length / 2)), () => incoming.socket.destroy());
        return;
      }
      case 'slowAnswer': {
        const { message, body } = await whole(await forward());
        return trickle(incoming.socket, Buffer.concat([statusLine(message), body]), fault.forMs);
      }
      case 'html502':
        return page(response, 502, '<h1>502 Bad Gateway</h1>');
      case 'html200':
        return page(response, 200, '<h1>Log in to the guest network</h1>');
      case 'duplicate': {
        await pass();
        if (fault.laterMs > 0) void later(fault.laterMs, forward);
        else await again(forward);
        return;
      }
      case 'reorder': {
        const before = passed;
        const released = { now: false };
        const release = (): void => {
          released.now = true;
        };
        held.add(release);
        await until('the next one has passed', () => passed > before || released.now, holdBackMs).catch(
          () => {},
        );
        held.delete(release);
        return pass();
      }
      case 'delay':
        await Promise.race([delay(fault.ms, undefined, { ref: false }), hang(incoming)]);
        return pass();
      case 'call':
        if (fault.when === 'answered') await answered(await forward(), route);
        await fault.act();
        return cut(incoming);
    }
  }

  /** An answer that came and is not passed on; of a stream, its beginning. */
  async function answered(message: IncomingMessage, route: RouteName | null): Promise<void> {
    if (route === 'control') message.destroy();
    else await wholeBody(message);
  }

  /** Resolves when the proxy is healed or the other side goes. */
  function hang(incoming: IncomingMessage): Promise<void> {
    return new Promise((resolve) => {
      const release = (): void => {
        held.delete(release);
        resolve();
      };
      held.add(release);
      incoming.socket.once('close', release);
    });
  }

  async function trickle(socket: Socket, bytes: Buffer, forMs: number): Promise<void> {
    const endsAt = performance.now() + forMs;
    let isReleased = false;
    const release = (): void => {
      isReleased = true;
    };
    held.add(release);
    for (
      let at = 0;
      at < bytes.length && !isReleased && !socket.destroyed && performance.now() < endsAt;
      at += 4
    ) {
      socket.write(bytes.subarray(at, at + 4));
      await delay(slowPauseMs, undefined, { ref: false });
    }
    held.delete(release);
    socket.destroy();
  }

  async function later(ms: number, forward: () => Promise<IncomingMessage>): Promise<void> {
    await delay(ms, undefined, { ref: false });
    if (!isClosed) await again(forward);
  }

  async function again(forward: () => Promise<IncomingMessage>): Promise<void> {
    await forward()
      .then(wholeBody)
      .catch(() => {});
  }

  function send(incoming: IncomingMessage, body: Buffer, response: ServerResponse): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const { method, url: path, rawHeaders: headers } = incoming;
      const outgoing = sendRequest(
        { host: '127.0.0.1', port: bridgePort(), method, path, headers, agent } as object,
        resolve,
      );
      outgoing.once('error', reject);
      // A runner that hangs up must be seen to by the bridge, too: it gives the run to somebody else.
      response.once('close', () => {
        if (!response.writableFinished) outgoing.destroy();
      });
      if (idleMs !== null) {
        outgoing.setTimeout(idleMs, () => {
          count('idleCut');
          outgoing.destroy();
          incoming.socket.destroy();
        });
      }
      outgoing.end(body);
    });
  }

  function answer(
    message: IncomingMessage,
    response: ServerResponse,
    route: RouteName | null,
  ): Promise<void> {
    return new Promise((resolve) => {
      response.writeHead(message.statusCode ?? 500, message.rawHeaders);
      response.flushHeaders();
      traffic.push({ direction: 'received', route, bytes: headOf(message) });
      message.on('data', (bytes: Buffer) => {
        traffic.push({ direction: 'received', route, bytes });
        response.write(bytes);
      });
      message.once('end', () => response.end());
      // The bridge went in the middle of its answer: so does the connection.
      message.once('close', () => {
        if (!message.complete) response.socket?.resetAndDestroy();
        resolve();
      });
      response.once('close', resolve);
    });
  }
}

/** One request on its way through. */
interface Exchange {
  incoming: IncomingMessage;
  response: ServerResponse;
  route: RouteName | null;
  /** Sends it to the bridge; its answer. */
  forward(): Promise<IncomingMessage>;
  /** The same, and passes the answer on. */
  pass(): Promise<void>;
}

function cut({ socket }: IncomingMessage): void {
  if (!socket.destroyed) socket.resetAndDestroy();
}

function page(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/html' }).end(`<!doctype html><body>${body}</body>`);
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const wholeBody = bodyOf;

async function whole(message: IncomingMessage): Promise<{ message: IncomingMessage; body: Buffer }> {
  return { message, body: await bodyOf(message) };
}

function headOf({ rawHeaders, method, url }: IncomingMessage): Buffer {
  const lines = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1] ?? ''}`] : [],
  );
  return Buffer.from(`${[`${method ?? ''} ${url ?? ''}`, ...lines].join('\r\n')}\r\n\r\n`);
}

function statusLine(message: IncomingMessage): Buffer {
  const head = headOf(message).toString().split('\r\n').slice(1).join('\r\n');
  return Buffer.from(`HTTP/1.1 ${message.statusCode} ${message.statusMessage}\r\n${head}`);
}
