import { spawnSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { type ServerProcess, serverProcess } from './server-process.ts';
import { findServerPrograms, freePort, unprivileged } from './server-programs.ts';

/** A real PostgreSQL of the suite's own, on loopback. */
export interface PostgresServer extends ServerProcess {
  /** Address of its database `postgres`. */
  readonly url: string;
}

/** Starts one. `durable` keeps what a real one does for a crash (fsync), which costs time; `settings` are further ones. */
export async function startPostgres({
  durable = false,
  settings = {} as Readonly<Record<string, string>>,
} = {}): Promise<PostgresServer> {
  const { postgresFolder } = findServerPrograms();
  const folder = await mkdtemp(join(tmpdir(), 'qualinet-test-postgres-'));
  const data = join(folder, 'data');
  const user = unprivileged();
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  const made = spawnSync(
    join(postgresFolder, 'initdb'),
    ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'],
    { ...user, cwd: folder, encoding: 'utf8' },
  );
  if (made.status !== 0) throw new Error(`initdb ended with ${made.status}:\n${made.stderr}`);
  await writeFile(join(data, 'pg_hba.conf'), passwordRules);
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const setting = (name: string, value: string): string[] => ['-c', `${name}=${value}`];
  const server = await serverProcess({
    command: join(postgresFolder, 'postgres'),
    folder,
    args: [
      ...['-D', data],
      ...setting('listen_addresses', '127.0.0.1'),
      ...setting('port', String(port)),
      ...setting('unix_socket_directories', folder),
      ...setting('max_connections', '300'),
      ...Object.entries(settings).flatMap(([name, value]) => setting(name, value)),
      ...(durable ? [] : [...setting('fsync', 'off'), ...setting('synchronous_commit', 'off')]),
    ],
    options: { ...user, cwd: folder },
    // The fast shutdown: it does not wait for clients.
    gracefulSignal: 'SIGINT',
    answers: () => answers(url),
  });
  return { ...server, url };
}

/** The superuser comes in without a password; every other role needs its own. */
const passwordRules = `host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
`;

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
