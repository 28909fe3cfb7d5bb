import { request } from 'node:http';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseListenAddress } from '../../../src/agent/config/listen-address.ts';
import { openHealthListener } from '../../../src/agent/health/health-listener.ts';
import { EnvironmentError } from '../../../src/lib/errors.ts';
import { until } from '../../support/until.ts';

async function listener(written = '0') {
  const opened = await openHealthListener(parseListenAddress(written), {
    '/live': async () => ({ status: 200, contentType: 'text/plain', text: 'live\n' }),
    '/ready': async () => ({ status: 503, contentType: 'text/plain', text: 'bridge: away\n' }),
  });
  onTestFinished(() => opened.close());
  const ask = (
    path: string,
    options: { method?: string; host?: string; headers?: Record<string, string> } = {},
  ) =>
    new Promise<{ status: number; text: string; headers: Record<string, unknown> }>((resolve, reject) => {
      const { method = 'GET', host, headers = {} } = options;
      const sent = request(
        `${opened.url}${path}`,
        { method, agent: false, headers: { ...headers, ...(host === undefined ? {} : { host }) } },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, text, headers: response.headers }),
          );
        },
      );
      sent.once('error', reject);
      sent.end();
    });
  return { opened, ask };
}

/** What is answered to these bytes. */
function say(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let heard = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      heard += chunk;
    });
    socket.once('error', reject).once('close', () => resolve(heard));
    socket.write(text);
  });
}

describe('the health listener', () => {
  it('answers its paths and names them to whoever asks for another', async () => {
    const { ask } = await listener();
    expect(await ask('/live?x=1')).toMatchObject({ status: 200, text: 'live\n' });
    expect(await ask('/ready')).toMatchObject({ status: 503, text: 'bridge: away\n' });
    expect(await ask('/')).toMatchObject({ status: 404, text: 'there is /live, /ready\n' });
    expect(await ask('/constructor')).toMatchObject({ status: 404 });
    expect(await ask('/live', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('refuses %s', async (method) => {
    const { ask } = await listener();
    expect(await ask('/live', { method })).toMatchObject({ status: 405 });
  });

  it.each([
    'evil.example',
    'evil.example:4871',
    'localhost.evil.example',
    '127.0.0.1.nip.io',
    '[::1',
    'LOCALHOST.',
    'runner:4871',
  ])('refuses the name %j, which a page could have made lead here', async (host) => {
    const { ask } = await listener();
    expect(await ask('/live', { host })).toMatchObject({ status: 421 });
  });

  it.each(['localhost', 'LocalHost:4871', '127.0.0.1', '10.0.0.7:4871', '[::1]:4871'])(
    'takes %s',
    async (host) => {
      const { ask } = await listener();
      expect(await ask('/live', { host })).toMatchObject({ status: 200 });
    },
  );

  it('takes for other machines its own name and names without dots, as containers have, too', async () => {
    const { ask } = await listener('0.0.0.0:0');
    for (const host of ['runner:4871', 'runner-2', hostname()])
      expect(await ask('/live', { host })).toMatchObject({ status: 200 });
    for (const host of ['evil.example', 'a.b', '2130706433'])
      expect(await ask('/live', { host })).toMatchObject({ status: 421 });
  });

  it('takes a request that names no host, as load balancers send them', async () => {
    const { opened } = await listener();
    expect(await say(opened.port, 'GET /live HTTP/1.0\r\n\r\n')).toContain('200 OK');
    expect(await say(opened.port, 'GET /live HTTP/1.1\r\n\r\n')).toContain('400 Bad Request');
  });

  it('refuses what is too long, and what is no HTTP', async () => {
    const { opened, ask } = await listener();
    expect(await ask(`/live?${'x'.repeat(9_000)}`)).toMatchObject({ status: 431 });
    expect(await ask('/live', { headers: { 'x-long': 'x'.repeat(9_000) } })).toMatchObject({ status: 431 });
    expect(await say(opened.port, 'nonsense\r\n\r\n')).toContain('400 Bad Request');
    expect(await ask('/live')).toMatchObject({ status: 200 });
  });

  it('listens on IPv6', async () => {
    const { opened, ask } = await listener('[::1]:0');
    expect(opened.url).toBe(`http://[::1]:${opened.port}`);
    expect(await ask('/live')).toMatchObject({ status: 200 });
  });

  it('answers again when the connections that held all its places have had their time', async () => {
    const { opened, ask } = await listener();
    const slow = Array.from({ length: 30 }, () => {
      const socket = connect(opened.port, '127.0.0.1');
      socket.on('error', () => {}).resume();
      socket.write('GET /live HTTP/1.1\r\nx-slow: ');
      return socket;
    });
    onTestFinished(() => {
      for (const socket of slow) socket.destroy();
    });
    await until(
      'it answers',
      async () => {
        const answer = await ask('/live').catch(() => null);
        return answer?.status === 200 ? answer : null;
      },
      12_000,
    );
  });

  it('lets no other origin read it', async () => {
    const { ask } = await listener();
    const { headers } = await ask('/live', { headers: { origin: 'https://evil.example' } });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(headers).toMatchObject({
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    });
  });

  it('says which flag to change when the port is taken', async () => {
    const { opened } = await listener();
    const second = openHealthListener(parseListenAddress(String(opened.port)), {});
    await expect(second).rejects.toBeInstanceOf(EnvironmentError);
    await expect(second).rejects.toMatchObject({
      message: expect.stringContaining(`port ${opened.port}: another program listens there`),
      hint: expect.stringContaining('--health-listen'),
    });
  });

  it('lets go of whoever connects and says nothing', async () => {
    const { opened } = await listener();
    const socket = connect(opened.port, '127.0.0.1');
    let isClosed = false;
    socket.on('close', () => {
      isClosed = true;
    });
    socket.on('error', () => {}).resume();
    socket.write('GET /live HTTP/1.1\r\n');
    await until('the connection is closed', () => isClosed, 12_000);
  });

  it('is gone at once when it is closed, whoever is connected', async () => {
    const { opened } = await listener();
    const socket = connect(opened.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.on('error', () => {});
    await opened.close();
    await expect(fetch(`${opened.url}/live`)).rejects.toThrow();
  });
});

describe('an address to listen on', () => {
  it.each([
    ['4871', { host: '127.0.0.1', port: 4871, isLoopback: true }],
    ['localhost:1', { host: 'localhost', port: 1, isLoopback: true }],
    ['127.0.0.2:4871', { host: '127.0.0.2', port: 4871, isLoopback: true }],
    ['[::1]:4871', { host: '::1', port: 4871, isLoopback: true }],
    ['0.0.0.0:4871', { host: '0.0.0.0', port: 4871, isLoopback: false }],
    ['[::]:4871', { host: '::', port: 4871, isLoopback: false }],
  ])('is %s', (text, address) => {
    expect(parseListenAddress(text)).toEqual(address);
  });

  it.each([
    '',
    'x',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:65536',
    '::1:4871',
    '[::1',
    'monitor.example:4871',
    '[127.0.0.1]x:1',
    ':4871',
    '127.0.0.1:48 71',
  ])('is not %j', (text) => {
    expect(() => parseListenAddress(text)).toThrow(/4871|address/);
  });
});
