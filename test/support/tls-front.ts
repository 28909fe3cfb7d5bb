import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer } from 'node:tls';

/** Something that speaks TLS in front of a server that does not: a load balancer, or an https proxy. */
export interface TlsFront {
  /** `https://localhost:<port>`. */
  readonly url: string;
  /** Port of the loopback address that it passes on to; set before the first connection. */
  target: number;
  close(): Promise<void>;
}

/** Starts it on a free port with this key and certificate. */
export async function startTlsFront(
  { key, cert }: { key: string; cert: string },
  target = 0,
): Promise<TlsFront> {
  const sockets = new Set<Socket>();
  const server = createServer({ key, cert }, (outer) => {
    const inner = connect(front.target, '127.0.0.1');
    outer.pipe(inner).pipe(outer);
    for (const [one, other] of [
      [outer, inner],
      [inner, outer],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  // Whoever does not trust the certificate breaks off.
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const front: TlsFront = {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    target,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return front;
}
