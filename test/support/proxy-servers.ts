import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServerProcess, serverProcess } from './server-process.ts';
import { findServerPrograms, freePort } from './server-programs.ts';
import type { TestAuthority } from './test-authority.ts';

/** A real proxy of the suite's own, on loopback. */
export interface ProxyServer extends ServerProcess {
  readonly port: number;
  readonly url: string;
  /** What it wrote of the requests so far. */
  accessLog(): Promise<string>;
}

/** Who may use a proxy. */
interface Login {
  user: string;
  password: string;
}

/** A proxy that says what it was asked for, one line a request: `CONNECT app.test:443 HTTP/1.1`. */
export interface Tinyproxy extends ProxyServer {
  requests(): Promise<string[]>;
}

/**
 * Starts tinyproxy. Without `connectPorts` it lets a tunnel go to any port. `worldAt` is the port of a proxy that answers for
 * all hosts of `corp.test`.
 */
export async function startTinyproxy({
  login,
  connectPorts = [],
  worldAt,
}: {
  login?: Login;
  connectPorts?: readonly number[];
  worldAt?: number;
} = {}): Promise<Tinyproxy> {
  const { folder, port, file } = await place();
  await writeFile(
    file('proxy.conf'),
    [
      `Port ${port}`,
      'Listen 127.0.0.1',
      'Timeout 600',
      'MaxClients 50',
      `LogFile "${file('access.log')}"`,
      'LogLevel Connect',
      ...(login === undefined ? [] : [`BasicAuth ${login.user} ${login.password}`]),
      ...connectPorts.map((allowed) => `ConnectPort ${allowed}`),
      ...(worldAt === undefined ? [] : [`Upstream http 127.0.0.1:${worldAt} ".corp.test"`]),
      '',
    ].join('\n'),
  );
  const { tinyproxy: command } = findServerPrograms();
  const server = await started({ command, args: ['-d', '-c', file('proxy.conf')], folder, port });
  return {
    ...server,
    async requests() {
      const lines = (await server.accessLog()).matchAll(/Request \(file descriptor \d+\): (.*)/g);
      return [...lines].map(([, line]) => line ?? '');
    },
  };
}

/** Starts squid, which tunnels to `sslPorts` only where some are named, as Debian sets it up for 443. */
export async function startSquid({
  login,
  sslPorts = [],
}: {
  login?: Login;
  sslPorts?: readonly number[];
} = {}): Promise<ProxyServer> {
  const { folder, port, file } = await place();
  // As root it goes on as the user `proxy`.
  await chmod(folder, 0o777);
  if (login !== undefined) {
    const { openssl } = findServerPrograms();
    const hash = execFileSync(openssl, ['passwd', '-apr1', '-stdin'], { input: login.password });
    await writeFile(file('users'), `${login.user}:${hash.toString()}`);
  }
  await writeFile(
    file('proxy.conf'),
    [
      `http_port 127.0.0.1:${port}`,
      `pid_filename ${file('squid.pid')}`,
      `access_log stdio:${file('access.log')}`,
      `cache_log ${file('cache.log')}`,
      `coredump_dir ${folder}`,
      'cache deny all',
      'shutdown_lifetime 0 seconds',
      ...(login === undefined
        ? []
        : [
            `auth_param basic program /usr/lib/squid/basic_ncsa_auth ${file('users')}`,
            'auth_param basic children 1',
            'acl known proxy_auth REQUIRED',
          ]),
      ...(sslPorts.length === 0
        ? []
        : [`acl ssl_ports port ${sslPorts.join(' ')}`, 'http_access deny CONNECT !ssl_ports']),
      login === undefined ? 'http_access allow all' : 'http_access allow known',
      'http_access deny all',
      '',
    ].join('\n'),
  );
  const { squid: command } = findServerPrograms();
  return started({ command, args: ['--foreground', '-f', file('proxy.conf')], folder, port });
}

/** A proxy that opens TLS with a certificate authority of its own. */
export interface InterceptingProxy extends ProxyServer {
  /** The certificate of its authority, as its users get it. */
  readonly certificateFile: string;
  /** Everything that it saw in clear: requests and answers with headers and bodies. */
  seen(): Promise<string>;
}

/**
 * Starts mitmproxy, which checks what is behind it against `authority`. With `reverseOf` it needs no proxy setting: whoever opens its
 * address is passed on to that one.
 */
export async function startMitmproxy(
  authority: TestAuthority,
  { reverseOf }: { reverseOf?: string } = {},
): Promise<InterceptingProxy> {
  const { folder, port, file } = await place();
  await writeFile(file('tell.py'), tellEverything);
  const { mitmdump: command } = findServerPrograms();
  const settings = {
    confdir: folder,
    ssl_verify_upstream_trusted_ca: authority.certificateFile,
    // Streams are passed on as they come; by itself it keeps back what it should show to its user.
    stream_large_bodies: '1',
    connection_strategy: 'lazy',
  };
  const server = await started({
    command,
    args: [
      ...['--listen-host', '127.0.0.1', '--listen-port', String(port), '--quiet', '-s', file('tell.py')],
      ...['--mode', reverseOf === undefined ? 'regular' : `reverse:${reverseOf}`],
      ...Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
    ],
    folder,
    port,
  });
  return {
    ...server,
    certificateFile: file('mitmproxy-ca-cert.pem'),
    seen: () => readFile(file('access.log'), 'utf8').catch(() => ''),
  };
}

// Bodies that are streamed pass by in chunks.
const tellEverything = `
import os
log = os.path.join(os.path.dirname(__file__), "access.log")

def tell(data):
    with open(log, "ab") as file:
        file.write(data + b"\\n")
    return data

def requestheaders(flow):
    tell(f"{flow.request.method} {flow.request.pretty_url}\\n{flow.request.headers}".encode())
    flow.request.stream = tell

def responseheaders(flow):
    tell(f"{flow.response.status_code} {flow.request.pretty_url}\\n{flow.response.headers}".encode())
    flow.response.stream = tell
`;

async function place() {
  const folder = await mkdtemp(join(tmpdir(), 'qualinet-test-proxy-'));
  return { folder, port: await freePort(), file: (name: string): string => join(folder, name) };
}

async function started({
  command,
  args,
  folder,
  port,
}: {
  command: string;
  args: readonly string[];
  folder: string;
  port: number;
}): Promise<ProxyServer> {
  const server = await serverProcess({ command, args, folder, answers: () => listens(port) });
  return {
    ...server,
    port,
    url: `http://127.0.0.1:${port}`,
    accessLog: () => readFile(join(folder, 'access.log'), 'utf8').catch(() => ''),
  };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
      .on('connect', () => {
        socket.destroy();
        resolve(true);
      })
      .on('error', () => resolve(false));
  });
}
