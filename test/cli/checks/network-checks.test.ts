import { readFile } from 'node:fs/promises';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttps, type ServerOptions } from 'node:https';
import { type AddressInfo, connect, createServer as createTcp, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startSquid, startTinyproxy } from '../../support/proxy-servers.ts';
import { makeAuthority, type TestAuthority } from '../../support/test-authority.ts';
import { doctorScene } from './doctor-scene.ts';

const healthy: RequestListener = (request, response) => {
  response.writeHead(request.url === '/healthz' ? 200 : 404, { 'content-type': 'text/plain' }).end('ok\n');
};

/** Listens on a free loopback port until the test ends; the port. */
async function serve(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

const httpBridge = async (answer: RequestListener = healthy) =>
  `http://127.0.0.1:${await serve(createHttp(answer))}`;

async function httpsBridge(options: ServerOptions, host = 'localhost'): Promise<string> {
  const server = createHttps(options, healthy);
  server.on('tlsClientError', () => {});
  return `https://${host}:${await serve(server)}`;
}

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createTcp();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const looking = (api: string, env: Record<string, string> = {}, flags: Record<string, string> = {}) =>
  doctorScene({ env, flags: { api, ...flags } });

describe('address', () => {
  it('is what --api or API_BASE_URL names; without any all that needs it is skipped with what to type', async () => {
    const named = await doctorScene({ env: { API_BASE_URL: 'https://bridge.example' } });
    expect((await named.look('address')).detail).toBe('https://bridge.example (API_BASE_URL)');
    const none = await doctorScene();
    expect(await none.look('address')).toMatchObject({
      status: 'skipped',
      fix: 'qualinet doctor --api https://…',
    });
    for (const name of [
      'proxy',
      'dns',
      'connection',
      'tls',
      'bridge',
      'clock',
      'credentials',
      'version',
      'control',
      'idle',
    ])
      expect(await none.look(name)).toMatchObject({
        status: 'skipped',
        detail: 'nothing names a bridge yet',
      });
  });
});

describe('dns', () => {
  it('says what a name is, and names one that is not known', async () => {
    expect((await (await looking('https://localhost:1')).look('dns')).detail).toMatch(
      /^localhost is (127\.0\.0\.1|::1)/,
    );
    expect((await (await looking('https://[::1]:1')).look('dns')).detail).toBe('::1 is an address itself');
    const found = await (await looking('https://no-such-bridge.invalid')).look('dns');
    expect(found).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('no-such-bridge.invalid cannot be found'),
    });
    expect(found.fix).toContain('/etc/resolv.conf');
  });

  it('leaves the name to a proxy', async () => {
    const proxy = await startTinyproxy();
    onTestFinished(() => proxy.stop());
    const { look } = await looking('https://no-such-bridge.invalid', { HTTPS_PROXY: proxy.url });
    // The proxy cannot find it, either.
    expect(await look('proxy')).toMatchObject({
      status: 'failed',
      detail: expect.stringMatching(/answers 5\d\d.*cannot reach no-such-bridge\.invalid:443/),
    });
    expect((await look('dns')).detail).toBe('the proxy looks no-such-bridge.invalid up');
  });
});

describe('proxy', () => {
  it('none is set, or NO_PROXY names the bridge', async () => {
    const url = await httpBridge();
    expect((await (await looking(url)).look('proxy')).detail).toBe('none is set for http: addresses');
    const env = { HTTP_PROXY: 'http://127.0.0.1:1', NO_PROXY: 'corp.example, 127.0.0.0/8' };
    expect((await (await looking(url, env)).look('proxy')).detail).toBe(
      'none: NO_PROXY names 127.0.0.1 (127.0.0.0/8)',
    );
    expect((await (await looking(url, env)).look('bridge')).status).toBe('ok');
  });

  it('lets through; the bridge answers behind it', async () => {
    const proxy = await startTinyproxy();
    onTestFinished(() => proxy.stop());
    const { look } = await looking(await httpBridge(), { HTTP_PROXY: proxy.url });
    expect(await look('proxy')).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining(`${proxy.url} (HTTP_PROXY) lets through`),
    });
    expect((await look('connection')).detail).toContain('through the proxy');
    expect((await look('bridge')).status).toBe('ok');
  });

  it('wants a password: names the variable, and never tells the wrong one', async () => {
    const proxy = await startTinyproxy({ login: { user: 'ada', password: 'right' } });
    onTestFinished(() => proxy.stop());
    const url = await httpBridge();
    const without = await (await looking(url, { HTTP_PROXY: proxy.url })).look('proxy');
    expect(without).toMatchObject({ status: 'failed', detail: expect.stringContaining('answers 407') });
    expect(without.fix).toContain('HTTP_PROXY=http://USER:PASSWORD@');
    const wrongUrl = proxy.url.replace('://', '://ada:hunter2hunter2@');
    const wrong = await looking(url, { HTTP_PROXY: wrongUrl });
    const found = await wrong.look('proxy');
    expect(found).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('another user or password'),
    });
    expect(JSON.stringify(found)).not.toContain('hunter2');
    const right = await looking(url, { HTTP_PROXY: proxy.url.replace('://', '://ada:right@') });
    expect(await right.look('proxy')).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining('with user and password'),
    });
    expect((await right.look('bridge')).status).toBe('ok');
  });

  it('lets nobody through to this port', async () => {
    const proxy = await startSquid({ sslPorts: [443] });
    onTestFinished(() => proxy.stop());
    const found = await (await looking(await httpBridge(), { HTTP_PROXY: proxy.url })).look('proxy');
    expect(found).toMatchObject({ status: 'failed', detail: expect.stringContaining('answers 403') });
    expect(found.detail).toContain('port 443 only');
    expect(found.fix).toMatch(/allow CONNECT to 127\.0\.0\.1:\d+/);
  });

  it('is not there', async () => {
    const port = await closedPort();
    const { look } = await looking('https://bridge.example', { HTTPS_PROXY: `127.0.0.1:${port}` });
    const found = await look('proxy');
    expect(found).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('nothing listens there'),
    });
    expect(found.fix).toContain('NO_PROXY=bridge.example');
    expect(await look('bridge')).toMatchObject({
      status: 'skipped',
      detail: 'it needs "Proxy", which failed',
    });
  });

  it('is no proxy but a web server', async () => {
    const server = createHttp(healthy).on('connect', (_request, socket) => {
      socket.end(
        'HTTP/1.1 400 Bad Request\r\ncontent-type: text/html\r\n\r\n<title>A web\x1b[2J server</title>',
      );
    });
    const { look } = await looking('https://bridge.example', {
      HTTPS_PROXY: `127.0.0.1:${await serve(server)}`,
    });
    const found = await look('proxy');
    expect(found).toMatchObject({ status: 'failed', detail: expect.stringContaining('answers 400') });
    expect(found.detail).toContain('is no proxy for such addresses');
  });
});

describe('connection', () => {
  it('says where it went, or that nothing listens', async () => {
    expect((await (await looking(await httpBridge())).look('connection')).detail).toMatch(
      /^opened to 127\.0\.0\.1 port \d+ in \d+ ms$/,
    );
    const found = await (await looking(`http://127.0.0.1:${await closedPort()}`)).look('connection');
    expect(found).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('nothing listens at 127.0.0.1'),
    });
    expect(found.fix).toContain('address and port');
  });
});

describe('tls', () => {
  let authority: TestAuthority;
  beforeAll(async () => {
    authority = await makeAuthority('Corp Inspection CA');
  });
  afterAll(() => authority.remove());
  const certificate = (names: readonly string[], days: number) =>
    authority.issue({ subject: 'the bridge', names, days });

  it('is good with a certificate of --ca-file, and says who issued it', async () => {
    const url = await httpsBridge(await certificate(['DNS:localhost'], 90));
    const { look } = await looking(url, {}, { caFile: authority.certificateFile });
    expect(await look('tls')).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining('TLSv1.3, certificate of the bridge by Corp Inspection CA'),
    });
    expect((await look('bridge')).status).toBe('ok');
  });

  it('is a warning when the certificate ends soon', async () => {
    const url = await httpsBridge(await certificate(['DNS:localhost'], 5));
    const { look } = await looking(url, {}, { caFile: authority.certificateFile });
    expect(await look('tls')).toMatchObject({ status: 'warning', fix: expect.stringContaining('renew') });
  });

  it('names an authority that is not trusted, as a proxy that opens TLS has', async () => {
    const { look } = await looking(await httpsBridge(await certificate(['DNS:localhost'], 90)));
    const found = await look('tls');
    expect(found).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('issued by "Corp Inspection CA"'),
    });
    expect(found.fix).toContain('--ca-file');
    expect(found.fix).toContain('QUALINET_CA_FILE=');
    expect((await look('bridge')).status).toBe('skipped');
  });

  it('names an authority that the server sends along', async () => {
    const { key, cert } = await certificate(['DNS:localhost'], 90);
    const chain = `${cert}${await readFile(authority.certificateFile, 'utf8')}`;
    const found = await (await looking(await httpsBridge({ key, cert: chain }))).look('tls');
    expect(found.detail).toContain('SELF_SIGNED_CERT_IN_CHAIN');
    expect(found.detail).toContain('Corp Inspection CA');
  });

  it('names a certificate that vouches for itself', async () => {
    const found = await (await looking(await httpsBridge(authority.selfSigned))).look('tls');
    expect(found).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('self-signed: localhost'),
    });
    expect(found.fix).toContain('--ca-file');
  });

  it('names one that is over, with its end', async () => {
    const url = await httpsBridge(await certificate(['DNS:localhost'], -1));
    const found = await (await looking(url, {}, { caFile: authority.certificateFile })).look('tls');
    expect(found).toMatchObject({
      status: 'failed',
      detail: expect.stringMatching(/^expired: .*the bridge \(by Corp Inspection CA, until .*GMT\)/),
    });
    expect(found.fix).toMatch(/renew it.*clock/);
  });

  it('names another host, with those that the certificate is for', async () => {
    const url = await httpsBridge(await certificate(['DNS:bridge.corp.example'], 90));
    const found = await (await looking(url, {}, { caFile: authority.certificateFile })).look('tls');
    expect(found).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('is for bridge.corp.example, not for localhost'),
    });
    expect(found.fix).toContain('--api https://bridge.corp.example');
  });

  it('names a TLS that is too old', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const url = await httpsBridge({ ...(await certificate(['DNS:localhost'], 90)), ...old });
    const found = await (await looking(url)).look('tls');
    expect(found).toMatchObject({ status: 'failed', detail: expect.stringContaining('too old') });
    expect(found.fix).toContain('TLS 1.2');
  });

  it('names what speaks no TLS', async () => {
    const url = (await httpBridge()).replace('http:', 'https:');
    const found = await (await looking(url)).look('tls');
    expect(found).toMatchObject({ status: 'failed', detail: expect.stringContaining('speaks no TLS') });
    expect(found.fix).toContain('--api http://127.0.0.1');
  });

  it('is a warning where there is none on the way to another machine', async () => {
    expect(await (await looking(await httpBridge())).look('tls')).toMatchObject({ status: 'ok' });
    const port = new URL(await httpBridge()).port;
    const { look } = await looking(`http://0.0.0.0:${port}`);
    expect(await look('tls')).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('in the clear'),
    });
  });
});

describe('bridge', () => {
  const html: RequestListener = (_request, response) => {
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end('<html><title>Log in to\n the Wi-Fi</title>');
  };
  const nginx502: RequestListener = (_request, response) => {
    response.writeHead(502, { 'content-type': 'text/html' }).end('<html><title>502 Bad Gateway</title>');
  };
  const redirect: RequestListener = (_request, response) => {
    response.writeHead(302, { location: 'https://login.corp.example/' }).end();
  };
  const status =
    (code: number): RequestListener =>
    (_request, response) => {
      response.writeHead(code).end('no');
    };

  it.each([
    ['a page to log in', html, 'an HTML page ("Log in to the Wi-Fi")', 'login page'],
    ['a redirect', redirect, 'leads on to https://login.corp.example/ (302)', 'the bridge itself'],
    ['a load balancer without a bridge', status(502), 'answers 502', 'GET /readyz'],
    ['nginx without a bridge', nginx502, 'answers 502 ("502 Bad Gateway")', 'GET /readyz'],
    ['something else', status(404), 'answers 404', '--api'],
  ])('is answered by %s', async (_what, answer, detail, fix) => {
    const found = await (await looking(await httpBridge(answer))).look('bridge');
    expect(found).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining(detail),
      fix: expect.stringContaining(fix),
    });
  });

  it('cuts the connection', async () => {
    const port = await serve(createTcp((socket) => socket.once('data', () => socket.destroy())));
    const found = await (await looking(`http://127.0.0.1:${port}`)).look('bridge');
    expect(found).toMatchObject({ status: 'failed', detail: expect.stringContaining('cannot reach') });
    expect(found.fix).not.toBe('');
  });

  it('the clock is compared by an unsigned header, as a hint only, where this machine is not paired', async () => {
    const dated =
      (offsetMs: number): RequestListener =>
      (_request, response) => {
        response.writeHead(200, { date: new Date(Date.now() + offsetMs).toUTCString() }).end('ok\n');
      };
    expect(await (await looking(await httpBridge(dated(0)))).look('clock')).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining('hint only'),
    });
    const far = await (await looking(await httpBridge(dated(7_200_000)))).look('clock');
    expect(far).toMatchObject({ status: 'warning', detail: expect.stringMatching(/^120 min|^2 h 0 min/) });
    expect(far.fix).toContain('timedatectl');
  });
});

describe('idle', () => {
  /** Passes on to `port`; what is silent for `afterMs` is closed, or dropped without a word. */
  async function middlebox(port: number, afterMs: number, how: 'closes' | 'drops'): Promise<string> {
    const server = createTcp((outer) => {
      const inner = connect(port, '127.0.0.1');
      outer.on('close', () => inner.destroy());
      inner.on('error', () => {}).on('close', () => outer.destroy());
      let timer: NodeJS.Timeout;
      let isDropped = false;
      const touch = (): void => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          if (how === 'closes') outer.destroy();
          else isDropped = true;
        }, afterMs);
      };
      touch();
      outer.on('close', () => clearTimeout(timer));
      outer.on('data', (bytes) => {
        touch();
        if (!isDropped) inner.write(bytes);
      });
      inner.on('data', (bytes) => {
        touch();
        if (!isDropped) outer.write(bytes);
      });
    });
    return `http://127.0.0.1:${await serve(server)}`;
  }
  const idleHoldsMs = [60, 400, 900];
  const port = async () => Number(new URL(await httpBridge()).port);

  it('measures a way that cuts nothing', async () => {
    const { look } = await doctorScene({ flags: { api: await httpBridge() }, idleHoldsMs });
    expect(await look('idle')).toMatchObject({
      status: 'ok',
      detail: 'a silent connection lives for 0.9 s and longer',
    });
  });

  it('measures when a middlebox closes what is silent', async () => {
    const api = await middlebox(await port(), 600, 'closes');
    const found = await (await doctorScene({ flags: { api }, idleHoldsMs })).look('idle');
    expect(found).toMatchObject({
      status: 'warning',
      detail: expect.stringMatching(/^a silent connection is closed after 0\.[67]/),
    });
    expect(found.fix).toContain('30 s');
  });

  it('measures between what a middlebox drops it without a word', async () => {
    const api = await middlebox(await port(), 600, 'drops');
    const found = await (await doctorScene({ flags: { api }, idleHoldsMs })).look('idle');
    expect(found).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('dropped without a word between 0.4 s and 0.9 s'),
    });
  });

  it('measures through a proxy', async () => {
    const proxy = await startTinyproxy();
    onTestFinished(() => proxy.stop());
    const scene = { flags: { api: await httpBridge() }, env: { HTTP_PROXY: proxy.url }, idleHoldsMs };
    expect((await (await doctorScene(scene)).look('idle')).status).toBe('ok');
  });
});
