import { readFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startBridge } from '../../../src/bridge/bridge.ts';
import { qualinetBridge } from '../../../src/bridge/cli/command-table.ts';
import { readBridgeConfig } from '../../../src/bridge/config.ts';
import { runProgram } from '../../../src/command-line/run-program.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { jsonLog } from '../../../src/lib/log.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { backendDatabase, backendFlowId, onServer } from '../../support/backend-database.ts';
import { startPostgres } from '../../support/postgres-server.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { freePort } from '../../support/server-programs.ts';
import { request } from '../../support/signed-client.ts';
import { testContext } from '../../support/test-context.ts';
import { until } from '../../support/until.ts';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis?.remove());

const adminToken = 'test-operator-token-0123456789';

function bridgeEnv(more: Record<string, string>): Record<string, string> {
  const keys = { WORKER_SECRET: 'test-worker-secret-0123456789', QUALINET_ADMIN_TOKEN: adminToken };
  return { PORT: '0', REDIS_URL: redis.url, ...keys, ...more };
}

/** `qualinet-bridge` in this process; stopped when the test ends. */
function program(argv: readonly string[], more: Record<string, string>) {
  const { context, err, signal } = testContext({ env: bridgeEnv(more) });
  const ended = runProgram(qualinetBridge, argv, context);
  onTestFinished(async () => {
    signal('SIGTERM');
    await ended;
  });
  const lines = (): LogLine[] =>
    err()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as LogLine);
  /** Its address, once it serves. */
  const url = () =>
    until('it serves', () => lines().find(({ message }) => message === announcement)?.url ?? null);
  return {
    /** What it said, as a person would read it: a line for each message, problem and hint. */
    err: () =>
      err()
        .split('\n')
        .map((line) => (line.startsWith('{') ? textOf(JSON.parse(line) as LogLine) : line))
        .join('\n'),
    signal,
    ended,
    url,
    /** Resolves when it finds everything it needs. */
    async ready() {
      const address = await url();
      await until('it is ready', async () => (await fetch(`${address}/readyz`)).status === 200);
    },
    /** Lines of its log but the one that tells its address. */
    lines: () => lines().filter(({ message }) => message !== announcement),
  };
}

const announcement = 'the bridge serves';

type LogLine = Record<string, unknown> & {
  message: string;
  problems?: readonly string[];
  hint?: string;
  url?: string;
};

function textOf({ message, problems = [], hint = '', ...fields }: LogLine): string {
  return [message, ...problems, hint, JSON.stringify(fields)].join('\n');
}

const serve = (more: Record<string, string>) => program(['serve'], more);

async function database(tables?: string): Promise<string> {
  const made = await backendDatabase(tables === undefined ? {} : { tables });
  onTestFinished(() => made.drop());
  return made.url;
}

/** A role with a password of its own, on the server of `url`; gives `url` with it. */
async function role(url: string, name: string, password: string): Promise<string> {
  await onServer(url, `create role ${name} login password '${password}'`);
  onTestFinished(() => onServer(url, `drop owned by ${name}; drop role ${name}`));
  const own = new URL(url);
  own.username = name;
  own.password = password;
  return own.href;
}

describe('a bridge beside a backend does not start', () => {
  it('on a database without the table of runs, and says whose database is meant', async () => {
    const { ended, err } = serve({ DATABASE_URL: await database('') });
    expect(await ended).toBe(78);
    expect(err()).toContain('no table public.runs');
    expect(err()).toContain('DATABASE_URL');
  });

  it('on a table of runs that lacks columns or has others, naming all of them at once', async () => {
    const tables = `create table runs (id text primary key, flow_id uuid, snapshot_nodes json, snapshot_edges jsonb,
      status text, executed_at timestamptz)`;
    const { ended, err } = serve({ DATABASE_URL: await database(tables) });
    expect(await ended).toBe(78);
    for (const problem of [
      'runs.id is text; it must be uuid',
      'runs.snapshot_nodes is json; it must be jsonb',
      'runs.duration_ms is missing',
      'runs.steps_result is missing',
    ]) {
      expect(err()).toContain(problem);
    }
    expect(err()).not.toMatch(/runs\.(flow_id|snapshot_edges|status|executed_at)/);
  });

  it('with a wrong password of PostgreSQL, at once and without telling it', async () => {
    const url = await role(await database(), 'wrong_password', 'right');
    const { ended, err } = serve({ DATABASE_URL: url.replace(':right@', ':not-this-one@') });
    expect(await ended).toBe(78);
    expect(err()).toMatch(/PostgreSQL at 127\.0\.0\.1:\d+\/test_.*password authentication failed/);
    expect(err()).toContain('DATABASE_URL');
    expect(err()).not.toContain('not-this-one');
    expect(err()).not.toContain('waiting');
  });

  it('with a wrong password of Redis, or none where one is needed, at once and without telling it', async () => {
    const guarded = await ownRedis();
    await onRedis(guarded.url, ['CONFIG', 'SET', 'requirepass', 'right']);
    const databaseUrl = await database();
    const wrong = guarded.url.replace('redis://', 'redis://:not-this-one@');
    const none = serve({ DATABASE_URL: databaseUrl, REDIS_URL: guarded.url });
    const other = serve({ DATABASE_URL: databaseUrl, QUALINET_MANAGED_REDIS_URL: wrong });
    expect([await none.ended, await other.ended]).toEqual([78, 78]);
    expect(none.err()).toMatch(/cannot use Redis at 127\.0\.0\.1:\d+: .*NOAUTH/);
    expect(other.err()).toMatch(/cannot use Redis at 127\.0\.0\.1:\d+: .*WRONGPASS/);
    for (const { err } of [none, other]) {
      expect(err()).toContain('Check REDIS_URL or QUALINET_MANAGED_REDIS_URL');
      expect(err()).not.toMatch(/not-this-one|waiting/);
    }
  });

  it('on a database of Redis that does not exist, rather than on the first one', async () => {
    const own = await ownRedis();
    const { ended, err } = serve({ DATABASE_URL: await database(), REDIS_URL: `${own.url}/99` });
    expect(await ended).toBe(78);
    expect(err()).toMatch(/cannot use Redis at .*\/99: .*out of range/);
  });

  it('on a Redis that is too old, naming both versions', async () => {
    const old = await redisThatSays(
      'redis_version:5.0.7\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n',
    );
    const { ended, err } = serve({ DATABASE_URL: await database(), REDIS_URL: old });
    expect(await ended).toBe(78);
    expect(err()).toMatch(/Redis 5\.0\.7 is too old.*\n.*6\.2/);
  });

  it('with a role that may not make its tables, and says what an operator does', async () => {
    const url = await role(await database(), 'may_not_create', 'own');
    const { ended, err } = serve({ DATABASE_URL: url });
    expect(await ended).toBe(78);
    expect(err()).toMatch(/schema "qualinet".*permission denied for database/);
    expect(err()).toContain('Run `qualinet-bridge migrate` once');
  });

  it('without a server that does not come up within its patience: exit code 69, and starting again may help', async () => {
    const port = await freePort();
    for (const [env, server] of [
      [{ DATABASE_URL: `postgres://me:secret@127.0.0.1:${port}/app` }, `PostgreSQL at 127.0.0.1:${port}/app`],
      [
        { DATABASE_URL: await database(), REDIS_URL: `redis://me:secret@127.0.0.1:${port}` },
        `Redis at 127.0.0.1:${port}`,
      ],
    ] as const) {
      const lines: string[] = [];
      const error = await startBridge(readBridgeConfig(bridgeEnv(env)), {
        clock: systemClock,
        log: jsonLog((line) => lines.push(line)),
        timing: { serverPatienceMs: 1_000 },
      }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        exitCode: 69,
        message: expect.stringContaining(`${server} does not answer: `),
        hint: expect.stringContaining('_URL'),
      });
      expect(lines).toEqual([expect.stringContaining(`waiting for ${server}`)]);
      expect(lines.join('') + String(error)).not.toContain('secret');
    }
  });
});

describe('a bridge that waits for a server', () => {
  it('starts when it has come up', async () => {
    const late = await ownRedis();
    await late.kill();
    const serving = serve({ DATABASE_URL: await database(), REDIS_URL: late.url });
    await until('it says that it waits', () => serving.err().includes('waiting for Redis'));
    await late.start();
    await serving.ready();
  });

  it('starts when PostgreSQL has come up, though that says at first that it is starting', async () => {
    const late = await startPostgres({ durable: true });
    onTestFinished(() => late.remove());
    const made = await backendDatabase({ server: late.url });
    await late.kill();
    const serving = serve({ DATABASE_URL: made.url });
    await until('it says that it waits', () => serving.err().includes('waiting for PostgreSQL'));
    await late.start();
    await serving.ready();
  });

  it('ends in order on a signal, at once', async () => {
    const serving = serve({ DATABASE_URL: `postgres://me@127.0.0.1:${await freePort()}/app` });
    await until('it says that it waits', () => serving.err().includes('waiting for PostgreSQL'));
    const beganMs = performance.now();
    serving.signal('SIGTERM');
    expect(await serving.ended).toBe(0);
    // Not after the half minute that it would wait.
    expect(performance.now() - beganMs).toBeLessThan(10_000);
    expect(serving.err()).not.toContain('error:');
  });

  it('ends in order on a signal while another bridge migrates', async () => {
    const url = await database();
    const other = new Client({ connectionString: url });
    await other.connect();
    onTestFinished(() => other.end());
    await other.query('begin; select pg_advisory_xact_lock(8174660338432274804)');
    const serving = serve({ DATABASE_URL: url });
    await until('it waits for the lock', async () => {
      const { rows } = await other.query("select from pg_locks where locktype = 'advisory' and not granted");
      return rows.length > 0;
    });
    serving.signal('SIGTERM');
    expect(await serving.ended).toBe(0);
    expect(serving.err()).not.toContain('error:');
  });
});

describe('a bridge beside a backend starts', () => {
  it('with a role that has only what the documents list, once an owner has migrated', async () => {
    const url = await database();
    const owner = program(['migrate'], { DATABASE_URL: url });
    expect(await owner.ended).toBe(0);
    expect(owner.err()).toBe('The schema "qualinet" was brought up to date; no other table was touched.\n');
    const again = program(['migrate'], { DATABASE_URL: url });
    expect(await again.ended).toBe(0);
    expect(again.err()).toContain('is up to date');

    const own = await role(url, 'bridge', 'own');
    await onServer(url, await documentedGrants());
    const serving = serve({ DATABASE_URL: own });
    const address = await serving.url();
    const call = (method: string, path: string, body?: string) =>
      request(address, method, path, body, new Secret(adminToken));
    const submitted = await call('POST', '/v1/runs', JSON.stringify({ ...flow, flowId: backendFlowId }));
    expect(submitted.status).toBe(200);
    const cancelled = await call('POST', `/v1/runs/${String(submitted.body['runId'])}/cancel`, '{}');
    expect(cancelled.body).toMatchObject({ status: 'cancelled' });
    // Every sweep has run, also the one that deletes.
    await until('it has told the end', async () => (await untold(url)) === 0);
    expect(serving.lines().filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('with the user, the password and the database that the address of Redis names, and with no more rights than the documents list', async () => {
    const own = await ownRedis();
    await onRedis(own.url, ['ACL', 'SETUSER', 'bridge', 'on', '>pass word', ...(await documentedRules())]);
    const url = `${own.url.replace('redis://', 'redis://bridge:pass%20word@')}/3`;
    const serving = serve({ DATABASE_URL: await database(), REDIS_URL: url });
    await serving.ready();
    const clients = String(await onRedis(own.url, ['CLIENT', 'LIST']));
    expect(clients.match(/name=(qualinet-bridge-\w+|bull:\S+) .* db=3 .* user=bridge/g)).toHaveLength(5);
    expect(serving.err()).toContain(`Redis ${own.url.replace('redis://', '')}/3"`);
    expect(serving.err()).not.toContain('pass');
  });

  it('with a warning and advice on a Redis that drops or forgets what it is given', async () => {
    const own = await startRedis(['--maxmemory-policy', 'allkeys-lru', '--appendonly', 'no']);
    onTestFinished(() => own.remove());
    const serving = serve({ DATABASE_URL: await database(), REDIS_URL: own.url });
    await serving.url();
    expect(serving.lines()).toMatchObject([
      {
        level: 'warn',
        message: expect.stringContaining('maxmemory-policy allkeys-lru'),
        advice: expect.stringContaining('noeviction'),
      },
      {
        level: 'warn',
        message: expect.stringContaining('append-only'),
        advice: expect.stringContaining('appendonly yes'),
      },
    ]);
  });

  it('with a warning on a Redis that does not tell its settings', async () => {
    const own = await ownRedis();
    await onRedis(own.url, [
      'ACL',
      'SETUSER',
      'bridge',
      'on',
      '>own',
      '~*',
      '&*',
      '+@all',
      '-info',
      '-config',
    ]);
    const url = own.url.replace('redis://', 'redis://bridge:own@');
    const serving = serve({ DATABASE_URL: await database(), REDIS_URL: url });
    await serving.url();
    expect(serving.lines()).toMatchObject([
      {
        level: 'warn',
        message: expect.stringContaining('noeviction'),
        error: expect.stringContaining('NOPERM'),
      },
    ]);
  });

  it('with no warning on a Redis as it should be', async () => {
    const serving = serve({ DATABASE_URL: await database() });
    await serving.url();
    expect(serving.lines()).toEqual([]);
  });
});

const flow = {
  nodes: [
    { id: 's', type: 'start' },
    { id: 'open', type: 'navigate', data: { url: 'https://example.test/' } },
  ],
  edges: [{ source: 's', target: 'open' }],
};

async function ownRedis(): Promise<RedisServer> {
  const own = await startRedis();
  onTestFinished(() => own.remove());
  return own;
}

async function onRedis(url: string, [command = '', ...args]: readonly string[]): Promise<unknown> {
  const client = new Redis(url, { maxRetriesPerRequest: 1 });
  try {
    return await client.call(command, ...args);
  } finally {
    client.disconnect();
  }
}

/** Address of something that speaks enough of Redis's protocol to be asked for its version. */
async function redisThatSays(info: string): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket
      .on('error', () => {})
      .on('data', (bytes) => {
        // Each command is an array; its name is the first bulk string.
        for (const [, name] of bytes.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
          socket.write(name?.toLowerCase() === 'info' ? `$${info.length}\r\n${info}\r\n` : '+OK\r\n');
        }
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return `redis://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

/** The statements of docs/operations.md, "Beside your backend", as an operator pastes them. */
async function documentedGrants(): Promise<string> {
  return documented(/```sql\n([^`]*grant[^`]*)```/);
}

/** The rules of docs/operations.md for a user of Redis. */
async function documentedRules(): Promise<string[]> {
  return (await documented(/`(~bull:\*[^`]*)`/)).split(' ');
}

async function documented(form: RegExp): Promise<string> {
  const document = await readFile(join(import.meta.dirname, '../../../docs/operations.md'), 'utf8');
  const found = form.exec(document)?.[1];
  if (found === undefined) throw new Error(`docs/operations.md has nothing like ${form}`);
  return found;
}

async function untold(url: string): Promise<number> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query('select from qualinet.leases where untold');
    return rows.length;
  } finally {
    await client.end();
  }
}
