import { createHash, randomBytes } from 'node:crypto';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type NetworkOptions, startEgressProxy } from '../../../src/browser/egress/egress-proxy.ts';
import type { EgressSession } from '../../../src/browser/egress/egress-session.ts';
import type { NetworkProfile, NetworkRules } from '../../../src/browser/egress/network-rules.ts';
import type { RunDeed } from '../../../src/browser/step/run-deed.ts';
import { parseHostPattern } from '../../../src/lib/host-pattern.ts';
import { startSite } from '../../support/site.ts';
import { until } from '../../support/until.ts';

const rules = (profile: NetworkProfile, allow: string[] = []): NetworkRules => ({
  profile,
  allowHosts: allow.map(parseHostPattern),
  onlyLists: [],
});
const open = rules('open');

async function proxyWith(given: Partial<NetworkOptions> = {}) {
  const proxy = await startEgressProxy({ rules: open, ...given });
  onTestFinished(() => proxy.close());
  return proxy;
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** `Basic …` of a session. */
function authorization({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** One plain request through the proxy; rejects where a browser would fail, too. */
function get(
  proxy: string,
  url: string,
  session: { username: string; password: string } | null,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string; headers: IncomingMessage['headers'] }> {
  const { hostname, port } = new URL(proxy);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        hostname,
        port,
        path: url,
        agent: false,
        headers: {
          host: new URL(url).host,
          ...headers,
          ...(session === null ? {} : { 'proxy-authorization': authorization(session) }),
        },
      },
      async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString(),
          headers: response.headers,
        });
      },
    );
    request.on('error', reject).end();
  });
}

/** CONNECT through the proxy: the status, and the tunnel. */
function tunnelTo(
  proxy: string,
  authority: string,
  session: EgressSession | null,
): Promise<{ status: number; socket: Socket }> {
  const { hostname, port } = new URL(proxy);
  return new Promise((resolve, reject) => {
    httpRequest({
      hostname,
      port,
      method: 'CONNECT',
      path: authority,
      agent: false,
      headers: session === null ? {} : { 'proxy-authorization': authorization(session) },
    })
      .on('connect', (response, socket) => {
        onTestFinished(() => void socket.destroy());
        resolve({ status: response.statusCode ?? 0, socket });
      })
      .on('error', reject)
      .end();
  });
}

describe('the proxy of a browser', () => {
  it('serves nobody without the credentials of a session, and no session that has ended or belongs to no run', async () => {
    const site = await startSite({ '/': 'site' });
    onTestFinished(() => site.close());
    const proxy = await proxyWith();
    const session = proxy.open();
    session.bind(open);
    const other = proxy.open();
    expect(await get(proxy.url, `${site.url}/`, session)).toMatchObject({ status: 200 });
    for (const foreign of [
      null,
      { ...session, password: other.password },
      { username: 'a', password: 'b' },
    ]) {
      expect(await get(proxy.url, `${site.url}/`, foreign)).toMatchObject({ status: 407 });
    }
    expect(await tunnelTo(proxy.url, new URL(site.url).host, null)).toMatchObject({ status: 407 });
    await expect(get(proxy.url, `${site.url}/`, other)).rejects.toThrow();
    expect(await tunnelTo(proxy.url, new URL(site.url).host, other)).toMatchObject({ status: 403 });
    session.close();
    expect(await get(proxy.url, `${site.url}/`, session)).toMatchObject({ status: 407 });
    expect(site.requests).toEqual(['/']);
  });

  it('tells the site nothing of itself or of the credentials', async () => {
    const seen: IncomingMessage['rawHeaders'] = [];
    const port = await listening(
      createServer((request, response) => {
        seen.push(...request.rawHeaders);
        response.end('ok');
      }),
    );
    const proxy = await proxyWith();
    const session = proxy.open();
    session.bind(open);
    await get(proxy.url, `http://127.0.0.1:${port}/`, session, {
      'Proxy-Connection': 'keep-alive',
      'X-Own': '1',
    });
    expect(seen.join(' ')).toContain('X-Own');
    expect(seen.join(' ')).not.toMatch(/proxy|via|forwarded|basic/i);
  });

  it('keeps runs of different rules apart on one program', async () => {
    const site = await startSite({ '/': 'site' });
    onTestFinished(() => site.close());
    const proxy = await proxyWith();
    const [allowed, refused] = [proxy.open(), proxy.open()];
    allowed.bind(rules('lan', [new URL(site.url).host]));
    refused.bind(rules('lan'));
    // The allowed one has a connection open that the other must not get.
    expect(await get(proxy.url, `${site.url}/`, allowed)).toMatchObject({ status: 200 });
    await expect(get(proxy.url, `${site.url}/`, refused)).rejects.toThrow();
    expect(await get(proxy.url, `${site.url}/`, allowed)).toMatchObject({ status: 200 });
    expect(refused.refusals()).toMatchObject([{ word: 'loopback' }]);
    expect(allowed.refusals()).toEqual([]);
  });

  it('connects to the address it has judged, whatever the name leads to a moment later', async () => {
    const [inside, outside] = [
      await startSite({ '/': 'inside' }),
      await startSite({ '/': 'outside' }, '127.0.0.2'),
    ];
    onTestFinished(async () => void (await Promise.all([inside.close(), outside.close()])));
    const port = new URL(outside.url).port;
    let asked = 0;
    const proxy = await proxyWith({
      resolve: async () => {
        asked += 1;
        return asked === 1 ? ['127.0.0.2'] : ['127.0.0.1'];
      },
    });
    const session = proxy.open();
    session.bind(rules('lan', ['127.0.0.2']));
    expect(await get(proxy.url, `http://rebind.test:${port}/`, session)).toMatchObject({
      body: expect.stringContaining('outside'),
    });
    expect(asked).toBe(1);
    expect(inside.requests).toEqual([]);
  });

  it('refuses its own port and the other ones of the runner, whatever is allowed', async () => {
    const health = await startSite({ '/': 'health' });
    onTestFinished(() => health.close());
    const proxy = await proxyWith({ ownPorts: () => [Number(new URL(health.url).port)] });
    const session = proxy.open();
    session.bind(rules('open', ['*', '127.0.0.1']));
    await expect(get(proxy.url, `${proxy.url}/`, session)).rejects.toThrow();
    await expect(get(proxy.url, `${health.url}/`, session)).rejects.toThrow();
    expect(await tunnelTo(proxy.url, new URL(health.url).host, session)).toMatchObject({ status: 403 });
    expect(health.requests).toEqual([]);
    expect(session.refusals().map(({ word }) => word)).toEqual(['port of the runner', 'port of the runner']);
  });

  it('tells every host once, as reached or as refused', async () => {
    const site = await startSite({ '/': 'site' });
    onTestFinished(() => site.close());
    const proxy = await proxyWith();
    const session = proxy.open();
    const deeds: RunDeed[] = [];
    session.listen((deed) => deeds.push(deed));
    session.bind(rules('lan', [new URL(site.url).host]));
    for (let turn = 0; turn < 3; turn += 1) {
      await get(proxy.url, `${site.url}/`, session);
      await get(proxy.url, 'http://127.0.0.1:1/', session).catch(() => {});
    }
    expect(deeds).toEqual([
      { type: 'host_reached', host: new URL(site.url).host },
      {
        type: 'host_blocked',
        host: '127.0.0.1:1',
        why: 'it is this machine itself (loopback); allow it with: --allow-host 127.0.0.1:1',
      },
    ]);
  });

  it('passes large bodies, long answers and error pages as they are', async () => {
    const body = randomBytes(8 * 1024 * 1024);
    const hash = createHash('sha256').update(body).digest('hex');
    const port = await listening(
      createServer((request, response) => {
        if (request.url === '/download') return void response.end(body);
        if (request.url === '/error') return void response.writeHead(502).end('the own words of the site');
        response.write('first');
        response.once('close', () => {});
        setTimeout(() => response.end(' last'), 300);
      }),
    );
    const proxy = await proxyWith();
    const session = proxy.open();
    session.bind(open);
    const base = `http://127.0.0.1:${port}`;
    const { socket } = await tunnelTo(proxy.url, `127.0.0.1:${port}`, session);
    socket.end('GET /download HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    const all = Buffer.concat(chunks);
    expect(
      createHash('sha256')
        .update(all.subarray(all.length - body.length))
        .digest('hex'),
    ).toBe(hash);
    expect(await get(proxy.url, `${base}/slow`, session)).toMatchObject({ body: 'first last' });
    expect(await get(proxy.url, `${base}/error`, session)).toMatchObject({
      status: 502,
      body: 'the own words of the site',
    });
  });

  it('uses a connection to a site again, and sends no request twice when that breaks', async () => {
    let connections = 0;
    let requests = 0;
    const server = createServer((request, response) => {
      requests += 1;
      if (request.url === '/breaks') request.socket.destroy();
      else response.end('ok');
    });
    server.on('connection', () => {
      connections += 1;
    });
    const port = await listening(server);
    const proxy = await proxyWith();
    const session = proxy.open();
    session.bind(open);
    for (let turn = 0; turn < 5; turn += 1) await get(proxy.url, `http://127.0.0.1:${port}/`, session);
    expect(connections).toBe(1);
    await expect(get(proxy.url, `http://127.0.0.1:${port}/breaks`, session)).rejects.toThrow();
    expect(requests).toBe(6);
    expect(session.failureOf({ host: '127.0.0.1', port })).toBe('ERR_EMPTY_RESPONSE');
  });

  it('ends everything that a session has open with the session, and leaves no connection to a site', async () => {
    const sockets = new Set<Socket>();
    const server = createServer(() => {});
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    const port = await listening(server);
    const proxy = await proxyWith();
    const session = proxy.open();
    session.bind(open);
    const { socket } = await tunnelTo(proxy.url, `127.0.0.1:${port}`, session);
    const pending = get(proxy.url, `http://127.0.0.1:${port}/`, session).catch(() => {});
    await until('both are connected', () => sockets.size === 2);
    session.close();
    await until('both have ended', () => sockets.size === 0);
    await until('the browser hears of it', () => socket.destroyed || socket.readableEnded);
    await pending;
  });

  it('names a connection that could not be made as Chromium would', async () => {
    const proxy = await proxyWith({
      resolve: async (name) => {
        throw Object.assign(new Error(name), { code: 'ENOTFOUND' });
      },
    });
    const session = proxy.open();
    session.bind(open);
    await expect(get(proxy.url, 'http://127.0.0.1:1/', session)).rejects.toThrow();
    expect(session.failureOf({ host: '127.0.0.1', port: 1 })).toBe('ERR_CONNECTION_REFUSED');
    expect(await tunnelTo(proxy.url, '127.0.0.1:2', session)).toMatchObject({ status: 403 });
    expect(session.failureOf({ host: '127.0.0.1', port: 2 })).toBe('ERR_CONNECTION_REFUSED');
    expect(await tunnelTo(proxy.url, 'nowhere.test:443', session)).toMatchObject({ status: 403 });
    expect(session.failureOf({ host: 'nowhere.test', port: 443 })).toBe('ERR_NAME_NOT_RESOLVED');
  });

  it('survives what no browser would send', async () => {
    const proxy = await proxyWith();
    const session = proxy.open();
    session.bind(open);
    const say = (text: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1', () => socket.end(text));
        let said = '';
        socket.on('data', (chunk) => {
          said += chunk.toString();
        });
        socket.on('error', () => {});
        socket.on('close', () => resolve(said));
      });
    const own = `proxy-authorization: ${authorization(session)}\r\n`;
    expect(await say('nonsense\r\n\r\n')).toContain('400');
    expect(await say(`GET / HTTP/1.1\r\nhost: a\r\n${own}\r\n`)).not.toContain('200');
    expect(await say(`GET file:///etc/hostname HTTP/1.1\r\nhost: a\r\n${own}\r\n`)).not.toContain('200');
    expect(await say(`CONNECT nowhere HTTP/1.1\r\nhost: a\r\n${own}\r\n`)).not.toContain('200');
    expect(await say(`CONNECT :0 HTTP/1.1\r\nhost: a\r\n${own}\r\n`)).not.toContain('200');
    expect(
      await say('CONNECT a:1 HTTP/1.1\r\nhost: a\r\nproxy-authorization: Bearer x\r\n\r\n'),
    ).not.toContain('200');
  });
});
