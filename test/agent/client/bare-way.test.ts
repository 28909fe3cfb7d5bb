import { createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createBareWay } from '../../../src/agent/client/bare-way.ts';
import { readAgentConfig } from '../../../src/agent/config/agent-config.ts';

/** A proxy that says that it is connected, and nothing after that. */
async function silentProxy(): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => socket.write('HTTP/1.1 200 Connection established\r\n\r\n'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

describe('the bare way', () => {
  it('is ended by its signal also behind a proxy that connects and is silent then', async () => {
    const { proxy } = readAgentConfig({ HTTPS_PROXY: await silentProxy() });
    const way = createBareWay(proxy);
    const target = new URL('https://bridge.example.com');
    const ending = new AbortController();
    const opened = await way.open(target, ending.signal);
    if (!('socket' in opened)) throw new Error('the proxy refused');
    const secured = way.secure(target, opened.socket);
    ending.abort(new Error('it took too long'));
    await expect(secured).rejects.toThrow();
    expect(opened.socket.destroyed).toBe(true);
  });
});
