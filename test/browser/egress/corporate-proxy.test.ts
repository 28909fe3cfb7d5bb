import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { UpstreamProxies } from '../../../src/browser/egress/egress-proxy.ts';
import type { NetworkRules } from '../../../src/browser/egress/network-rules.ts';
import { launchBrowser } from '../../../src/browser/warm-browser.ts';
import { startProgram } from '../../../src/demo/child-program.ts';
import { parseHostPattern } from '../../../src/lib/host-pattern.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { chain } from '../../support/chain.ts';
import { executeSteps, type ShortStep } from '../../support/flow-in-browser.ts';
import { startTinyproxy, type Tinyproxy } from '../../support/proxy-servers.ts';
import { runnerEnv, runnerProgram } from '../../support/system.ts';
import { suiteFolder } from '../../support/temp-folder.ts';
import { makeAuthority } from '../../support/test-authority.ts';
import { testBrowser } from '../../support/test-browser.ts';
import { startTlsFront } from '../../support/tls-front.ts';

const folder = suiteFolder();
const login = { user: 'me', password: 'pass-word_1' };

/** What lies behind the corporate proxy: any host is answered, and WebSockets are opened. */
const world = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'text/html' }).end(
    `<!doctype html><h1 id="title">${request.headers.host}</h1><p id="socket"></p>
    <script>new WebSocket('ws://app.corp.test/').onopen = () => { document.getElementById('socket').textContent = 'open' }</script>`,
  );
});
world.on('connect', (_request, socket) => {
  const inner = connect((world.address() as AddressInfo).port, '127.0.0.1');
  socket.write('HTTP/1.1 200 OK\r\n\r\n');
  socket.pipe(inner).pipe(socket);
  for (const side of [socket, inner]) side.on('error', () => {}).on('close', () => inner.destroy());
});
world.on('upgrade', ({ headers }, socket) => {
  const accept = createHash('sha1')
    .update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  socket.on('error', () => {});
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
  );
});

let plain: Tinyproxy;
let guarded: Tinyproxy;
beforeAll(async () => {
  await new Promise<void>((resolve) => world.listen(0, '127.0.0.1', resolve));
  const { port } = world.address() as AddressInfo;
  plain = await startTinyproxy({ worldAt: port });
  guarded = await startTinyproxy({ worldAt: port, login });
});
afterAll(async () => {
  await plain.remove();
  await guarded.remove();
  world.closeAllConnections();
  world.close();
});

const flow: ShortStep[] = [
  ['navigate', { url: 'http://app.corp.test/' }],
  ['assertion', { selector: '#title', value: 'app.corp.test' }],
  ['assertion', { selector: '#socket', value: 'open', timeoutMs: 5_000 }],
];

async function run(
  steps: readonly ShortStep[],
  upstream: UpstreamProxies,
  { rules = {}, names = {} }: { rules?: Partial<NetworkRules>; names?: Record<string, string[]> } = {},
) {
  const warm = await launchBrowser({
    choice: await testBrowser(),
    log: silentLog,
    network: {
      rules: { profile: 'lan', allowHosts: [], onlyLists: [], ...rules },
      upstream,
      async resolve(name) {
        const found = names[name];
        if (found === undefined) throw Object.assign(new Error(name), { code: 'ENOTFOUND' });
        return found;
      },
    },
  });
  try {
    return (await executeSteps(warm, steps)).result;
  } finally {
    await warm.close();
  }
}

const through = (url: string, noProxy = ''): UpstreamProxies => ({
  httpProxy: url,
  httpsProxy: url,
  noProxy,
});
const guardedUrl = (password = login.password): string =>
  `http://${login.user}:${encodeURIComponent(password)}@127.0.0.1:${guarded.port}`;

describe('a flow behind a corporate proxy', () => {
  it('goes through it, WebSockets too, to names that only the proxy knows', async () => {
    const result = await run(flow, through(plain.url));
    expect(result.stepsResult.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
    const requests = await plain.requests();
    expect(requests).toContain('GET http://app.corp.test/ HTTP/1.1');
    expect(requests).toContain('CONNECT app.corp.test:80 HTTP/1.1');
  });

  it('brings user and password where the proxy wants them', async () => {
    expect((await run(flow, through(guardedUrl()))).status).toBe('passed');
  });

  it('says so when they are wrong, without showing them', async () => {
    // tinyproxy answers wrong ones with 401, missing ones with 407.
    for (const [url, proxy] of [
      ['http://app.corp.test/', guarded.url],
      ['https://app.corp.test/', guarded.url],
      ['https://app.corp.test/', guardedUrl('wrong-secret')],
    ] as const) {
      const result = await run([['navigate', { url }]], through(proxy));
      expect(result.stepsResult[0]).toMatchObject({
        errorKind: 'navigation',
        error: expect.stringContaining('the proxy of this network wants another user or password'),
      });
      expect(JSON.stringify(result)).not.toContain('wrong-secret');
    }
  });

  it('goes through one that is spoken to over TLS, where its authority is trusted, and else not', async () => {
    const authority = await makeAuthority();
    onTestFinished(() => authority.remove());
    const front = await startTlsFront(authority.server, plain.port);
    onTestFinished(() => front.close());
    const ca = await readFile(authority.certificateFile, 'utf8');
    const trusted = await run(flow, { ...through(front.url), trust: createSecureContext({ ca }) });
    expect(trusted.stepsResult.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
    for (const url of ['http://app.corp.test/', 'https://app.corp.test/']) {
      const [step] = (await run([['navigate', { url }]], through(front.url))).stepsResult;
      expect(step?.error, url).toContain('the proxy');
    }
  });

  it('is told that the proxy cannot be reached', async () => {
    const result = await run([['navigate', { url: 'http://app.corp.test/' }]], through('http://127.0.0.1:9'));
    expect(result.stepsResult[0]?.error).toContain('the proxy cannot be reached');
  });

  it('reaches nothing through it that the rules refuse, as far as this machine can know', async () => {
    const before = (await plain.requests()).length;
    const names = { 'inside.test': ['127.0.0.1'], 'private.test': ['10.0.0.1'] };
    for (const host of [
      '127.0.0.1:9',
      '[::1]:9',
      '169.254.169.254',
      'metadata.google.internal',
      'inside.test',
      'private.test',
      '10.1.2.3',
    ]) {
      const result = await run([['navigate', { url: `http://${host}/` }]], through(plain.url), {
        rules: { profile: 'public' },
        names,
      });
      expect(result.stepsResult[0]?.errorKind, host).toBe('blocked');
    }
    expect((await plain.requests()).length).toBe(before);
  });

  it('is held by --only-hosts, where the name is enough', async () => {
    const only = [{ named: '--only-hosts', hosts: [parseHostPattern('app.corp.test')] }];
    const given = { rules: { profile: 'public' as const, onlyLists: only } };
    expect((await run(flow, through(plain.url), given)).status).toBe('passed');
    const other = await run([['navigate', { url: 'http://other.corp.test/' }]], through(plain.url), given);
    expect(other.stepsResult[0]).toMatchObject({
      errorKind: 'blocked',
      error: 'other.corp.test:80 was not opened: it is not in --only-hosts; add it there: other.corp.test:80',
    });
  });

  it('goes around it to hosts of NO_PROXY, and to what is allowed on this machine', async () => {
    const before = (await plain.requests()).length;
    const { port } = world.address() as AddressInfo;
    const given = {
      rules: { allowHosts: [parseHostPattern('127.0.0.1'), parseHostPattern('localhost')] },
      names: { 'app.direct.test': ['127.0.0.1'] },
    };
    for (const host of ['app.direct.test', 'localhost', '127.0.0.1']) {
      const steps: ShortStep[] = [
        ['navigate', { url: `http://${host}:${port}/` }],
        ['assertion', { selector: '#title', value: `${host}:${port}` }],
      ];
      expect((await run(steps, through(plain.url, '.direct.test'), given)).status).toBe('passed');
    }
    expect((await plain.requests()).filter((line) => /direct|localhost|127/.test(line)).length).toBe(0);
    expect(before).toBeGreaterThan(0);
  });
});

describe('qualinet run', () => {
  const page = chain(
    { id: 'open', type: 'navigate', data: { url: 'http://app.corp.test/' } },
    { id: 'title', type: 'assertion', data: { selector: '#title', value: 'app.corp.test' } },
  );

  async function qualinet(
    args: readonly string[],
    env: Record<string, string>,
  ): Promise<{ code: number | null; said: string }> {
    const path = join(folder(), 'flow.json');
    await writeFile(path, JSON.stringify(page));
    const program = startProgram(
      runnerProgram,
      ['run', path, '--screenshots', join(folder(), 'pictures'), ...args],
      {
        env: { ...runnerEnv(folder()), ...env },
      },
    );
    return { code: await program.ended, said: program.said() };
  }

  it('takes the proxy of the runner itself, another with --browser-proxy, and none with none', async () => {
    const unreachable = 'http://127.0.0.1:9';
    expect(await qualinet([], { HTTP_PROXY: guardedUrl() })).toMatchObject({ code: 0 });
    expect(
      await qualinet(['--browser-proxy', `127.0.0.1:${plain.port}`], { HTTP_PROXY: unreachable }),
    ).toMatchObject({
      code: 0,
    });
    expect(
      await qualinet([], { HTTP_PROXY: unreachable, QUALINET_BROWSER_PROXY: guardedUrl() }),
    ).toMatchObject({ code: 0 });
    const direct = await qualinet(['--browser-proxy', 'none'], { HTTP_PROXY: guardedUrl() });
    expect(direct.code).toBe(1);
    expect(direct.said).toContain('the host name was not found');
    const wrong = await qualinet(['--browser-proxy', 'socks5://me:hunter2@a:1'], {});
    expect(wrong.code).toBe(64);
    expect(wrong.said).toContain('--browser-proxy');
    expect(wrong.said).not.toContain('hunter2');
  });
});
