import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startProgram } from '../../src/demo/child-program.ts';
import { type BridgeBehindTls, startBridgeBehindTls } from '../support/bridge-behind-tls.ts';
import { type ProxyServer, startSquid, startTinyproxy } from '../support/proxy-servers.ts';
import { freePort } from '../support/server-programs.ts';
import { runnerEnv, runnerProgram } from '../support/system.ts';
import { suiteFolder, tempFolder } from '../support/temp-folder.ts';
import { makeAuthority, type TestAuthority } from '../support/test-authority.ts';
import { startTlsFront } from '../support/tls-front.ts';

// Real proxies from Debian's packages, a bridge process behind TLS, `qualinet` as a process with the variables that people set.

const login = { user: 'corp\\ada', password: 'p@ss:w/rd#1%?ü' };
const encoded = `${encodeURIComponent(login.user)}:${encodeURIComponent(login.password)}`;
/** No part of the password may be in anything that is said, encoded or not. */
const secretParts = [login.password, encodeURIComponent(login.password), 'w/rd', 'wrong-password', 'w%2Frd'];

const folder = suiteFolder();
let authority: TestAuthority;
let bridge: BridgeBehindTls;
let open: ProxyServer;
let locked: ProxyServer;

beforeAll(async () => {
  authority = await makeAuthority();
  bridge = await startBridgeBehindTls(join(folder(), 'bridge'), authority.server);
  open = await startTinyproxy();
  locked = await startSquid({ login });
});
afterAll(async () => {
  await locked?.remove();
  await open?.remove();
  await bridge?.close();
  await authority?.remove();
});

const withLogin = (proxy: ProxyServer, pair: string): string => proxy.url.replace('://', `://${pair}@`);
const hostOf = (url: string): string => new URL(url).host;

/** One `qualinet` process: its exit code and everything that it said. */
async function qualinet(
  args: readonly string[],
  env: Record<string, string>,
  home?: string,
): Promise<{ code: number | null; said: string }> {
  const program = startProgram(runnerProgram, args, {
    env: { ...runnerEnv(home ?? (await tempFolder())), ...env },
  });
  const code = await program.ended;
  const said = program.said();
  for (const part of secretParts) expect(said).not.toContain(part);
  return { code, said };
}

async function pair(env: Record<string, string>, home?: string) {
  const code = await bridge.pairingCode({ autoApprove: true, workspace: `w${crypto.randomUUID()}` });
  const given = { QUALINET_CA_FILE: authority.certificateFile, ...env };
  return qualinet(['pair', code, '--api', bridge.url], given, home);
}

describe('a runner behind a proxy', () => {
  it('pairs through it, and asks, and unpairs', async () => {
    const home = await tempFolder();
    const env = { HTTPS_PROXY: open.url, QUALINET_CA_FILE: authority.certificateFile };
    expect(await pair(env, home)).toMatchObject({ code: 0 });
    expect(await open.accessLog()).toContain(`CONNECT ${hostOf(bridge.url)}`);
    const asked = await qualinet(['status'], env, home);
    expect(asked).toMatchObject({ code: 0, said: expect.stringContaining('knows this runner') });
    const flag = ['--ca-file', authority.certificateFile];
    expect(await qualinet(['unpair', ...flag], { HTTPS_PROXY: open.url }, home)).toMatchObject({ code: 0 });
  });

  it.each<[string, (proxy: ProxyServer) => Record<string, string>]>([
    ['https_proxy in lower case', ({ url }) => ({ https_proxy: url, HTTPS_PROXY: 'http://127.0.0.1:9' })],
    ['HTTP_PROXY where there is no HTTPS_PROXY', ({ url }) => ({ HTTP_PROXY: url })],
    ['an address without a scheme', ({ url }) => ({ HTTPS_PROXY: hostOf(url) })],
    [
      'a NO_PROXY for others',
      ({ url }) => ({ HTTPS_PROXY: url, NO_PROXY: '127.0.0.0/8,.corp.test,localhost:1' }),
    ],
  ])('takes %s', async (_name, env) => {
    const before = (await open.accessLog()).length;
    expect(await pair(env(open))).toMatchObject({ code: 0 });
    expect((await open.accessLog()).slice(before)).toContain(`CONNECT ${hostOf(bridge.url)}`);
  });

  it.each(['localhost', 'other.test, *', '.localhost', 'LOCALHOST'])(
    'goes without it where NO_PROXY is "%s"',
    async (noProxy) => {
      expect(await pair({ HTTPS_PROXY: 'http://127.0.0.1:9', no_proxy: noProxy })).toMatchObject({ code: 0 });
    },
  );

  it('gives user name and password with every special character to squid', async () => {
    expect(await pair({ HTTPS_PROXY: withLogin(locked, encoded) })).toMatchObject({ code: 0 });
    expect(await locked.accessLog()).toContain(`CONNECT ${hostOf(bridge.url)}`);
  });

  it('is told that squid wants a password, or does not take this one', async () => {
    const without = await pair({ HTTPS_PROXY: locked.url });
    expect(without.code).toBe(69);
    expect(without.said).toContain(`the proxy ${locked.url} wants a user name and password (407)`);
    expect(without.said).toContain('HTTPS_PROXY=http://USER:PASSWORD@');
    const wrong = await pair({ HTTPS_PROXY: withLogin(locked, 'ada:wrong-password') });
    expect(wrong.code).toBe(69);
    expect(wrong.said).toContain(`the proxy ${locked.url} does not take this user name and password (407)`);
  });

  it('gives tinyproxy its password, too', async () => {
    const proxy = await startTinyproxy({ login: { user: 'ada', password: 'p-ss.w_rd' } });
    onTestFinished(() => proxy.remove());
    expect(await pair({ HTTPS_PROXY: withLogin(proxy, 'ada:p-ss.w_rd') })).toMatchObject({ code: 0 });
    expect(await pair({ HTTPS_PROXY: proxy.url })).toMatchObject({ code: 69 });
  });

  it.each([
    ['tinyproxy', () => startTinyproxy({ connectPorts: [443] })],
    ['squid', () => startSquid({ sslPorts: [443] })],
  ])('is told that %s refuses CONNECT to the port', async (_name, startProxy) => {
    const proxy = await startProxy();
    onTestFinished(() => proxy.remove());
    const { code, said } = await pair({ HTTPS_PROXY: proxy.url });
    expect(code).toBe(69);
    expect(said).toContain(`the proxy ${proxy.url} refuses CONNECT to ${hostOf(bridge.url)} (403)`);
    expect(said).toContain('NO_PROXY');
  });

  it('is told of a proxy that is not there, by name and by port', async () => {
    const named = await pair({ HTTPS_PROXY: 'http://ada:wrong-password@no-such-proxy.invalid:3128' });
    expect(named.code).toBe(69);
    expect(named.said).toContain('the host of the proxy http://no-such-proxy.invalid:3128 is not known');
    expect(named.said).toContain('Check HTTPS_PROXY');
    const port = await freePort();
    const closed = await pair({ HTTP_PROXY: `http://127.0.0.1:${port}` });
    expect(closed.said).toContain(`nothing answers at the proxy http://127.0.0.1:${port} (ECONNREFUSED)`);
    expect(closed.said).toContain('Check HTTP_PROXY');
  });

  it('speaks TLS to a proxy that wants it, and checks its certificate', async () => {
    const proxy = await startTlsFront(authority.server, locked.port);
    onTestFinished(() => proxy.close());
    const address = proxy.url.replace('://', `://${encoded}@`);
    expect(await pair({ HTTPS_PROXY: address })).toMatchObject({ code: 0 });
    const untrusted = await pair({ HTTPS_PROXY: address, QUALINET_CA_FILE: '' });
    expect(untrusted.code).toBe(69);
    expect(untrusted.said).toContain('--ca-file');
  });

  it('says which scheme is wrong when a proxy without TLS is spoken to over TLS', async () => {
    const { code, said } = await pair({
      HTTPS_PROXY: locked.url.replace('http://127.0.0.1', 'https://localhost'),
    });
    expect(code).toBe(69);
    expect(said).toContain('speaks no TLS');
  });
});

describe('certificates of an authority of your own', () => {
  it('are needed: the error names the option', async () => {
    const { code, said } = await pair({ QUALINET_CA_FILE: '' });
    expect(code).toBe(69);
    expect(said).toContain(
      `cannot reach ${bridge.url}: its certificate is of an authority that is not trusted here`,
    );
    expect(said).toContain('--ca-file FILE, or QUALINET_CA_FILE');
  });

  it('are added to those of NODE_EXTRA_CA_CERTS, which are not lost', async () => {
    const stranger = await makeAuthority('Another CA');
    onTestFinished(() => stranger.remove());
    const both = {
      NODE_EXTRA_CA_CERTS: authority.certificateFile,
      QUALINET_CA_FILE: stranger.certificateFile,
    };
    expect(await pair(both)).toMatchObject({ code: 0 });
    expect(await pair({ ...both, NODE_EXTRA_CA_CERTS: '' })).toMatchObject({ code: 69 });
  });

  it.each([
    [(a: TestAuthority) => a.keyFile, 'holds a private key and no certificate'],
    [(a: TestAuthority) => a.expiredFile, '"CN=Old CA" expired at'],
    [(a: TestAuthority) => `${a.certificateFile}.not-there`, 'is not there'],
  ])('are refused at once where the file is wrong', async (fileOf, why) => {
    const file = fileOf(authority);
    const home = await tempFolder();
    for (const args of [
      ['pair', '123456', '--api', bridge.url],
      ['start', '--log-format', 'text'],
      ['status'],
      ['unpair'],
    ]) {
      const { code, said } = await qualinet([...args, '--ca-file', file], {}, home);
      expect(code).toBe(64);
      expect(said).toContain(`QUALINET_CA_FILE (--ca-file): ${file}`);
      expect(said).toContain(why);
    }
  });
});
