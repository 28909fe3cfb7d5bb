import { chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverProcess } from './server-process.ts';

/** A real tinyproxy, as corporate networks have one. */
export interface ForwardProxy {
  /** `127.0.0.1:3128` */
  host: string;
  /** What it was asked for so far, one line a request: `CONNECT app.test:443 HTTP/1.1`. */
  requests(): Promise<string[]>;
  stop(): Promise<void>;
}

/** Starts tinyproxy, with a password when there is one. `behind` is a proxy that answers for all hosts of `corp.test`. */
export async function startForwardProxy({
  behind,
  login,
}: {
  behind: string;
  login?: { user: string; password: string };
}): Promise<ForwardProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'qualinet-test-'));
  await chmod(folder, 0o777);
  const port = await freePort();
  const logFile = join(folder, 'log');
  await writeFile(
    join(folder, 'tinyproxy.conf'),
    [
      `Port ${port}`,
      'Listen 127.0.0.1',
      'Timeout 600',
      `LogFile "${logFile}"`,
      'LogLevel Connect',
      'MaxClients 100',
      'Allow 127.0.0.1',
      'DisableViaHeader Yes',
      `Upstream http ${behind} ".corp.test"`,
      ...(login === undefined ? [] : [`BasicAuth ${login.user} ${login.password}`]),
      '',
    ].join('\n'),
  );
  const server = await serverProcess({
    command: 'tinyproxy',
    args: ['-d', '-c', join(folder, 'tinyproxy.conf')],
    folder,
    answers: () =>
      new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.destroy();
          resolve(true);
        });
        socket.on('error', () => resolve(false));
      }),
  });
  return {
    host: `127.0.0.1:${port}`,
    async requests() {
      const text = await readFile(logFile, 'utf8').catch(() => '');
      return [...text.matchAll(/Request \(file descriptor \d+\): (.*)/g)].map(([, line]) => line ?? '');
    },
    stop: () => server.remove(),
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
