import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Servers that nobody may reach, on several addresses of this machine and one port: they count everything that comes. */
export interface Victims {
  port: number;
  /** Datagrams of anything: STUN, TURN, QUIC, names. */
  udpPort: number;
  /** What was asked for, as `fetch` or `ws` (the first part of the path), each with the host it was asked by. */
  requests: { vector: string; host: string }[];
  /** TCP connections, whatever was said on them, and datagrams. */
  touches(): number;
  datagrams(): number;
  close(): Promise<void>;
}

/** Addresses they listen on. */
const victimAddresses = ['127.0.0.1', '127.0.0.3', '::1'];

export async function startVictims(): Promise<Victims> {
  const requests: Victims['requests'] = [];
  let connections = 0;
  let datagrams = 0;
  const servers: Server[] = [];
  let port = 0;
  for (const address of victimAddresses) {
    const server = createServer((request, response) => {
      note(request.url, request.headers.host);
      response
        .writeHead(200, { 'content-type': 'text/html', 'access-control-allow-origin': '*' })
        .end('victim');
    });
    server.on('connection', () => {
      connections += 1;
    });
    server.on('upgrade', (request, socket) => {
      note(request.url, request.headers.host);
      socket.destroy();
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, address, resolve);
    });
    port = (server.address() as AddressInfo).port;
    servers.push(server);
  }
  const udp = createSocket('udp4', () => {
    datagrams += 1;
  });
  await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve));

  function note(path = '/', host = ''): void {
    requests.push({ vector: path.split('/')[1] ?? '', host });
  }

  return {
    port,
    udpPort: udp.address().port,
    requests,
    touches: () => connections + datagrams,
    datagrams: () => datagrams,
    async close() {
      udp.close();
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}
