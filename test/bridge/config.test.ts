import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addressUrl, defaultPort, readBridgeConfig } from '../../src/bridge/config.ts';
import { UsageError } from '../../src/lib/errors.ts';

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readBridgeConfig(env);
  } catch (error) {
    if (error instanceof UsageError) return error.problems;
    throw error;
  }
  throw new Error('the configuration was taken');
}

describe('the configuration of the bridge', () => {
  it('needs nothing: loopback, a fixed port, a folder in the home', () => {
    expect(readBridgeConfig({})).toEqual({
      host: '127.0.0.1',
      port: defaultPort,
      publicUrl: null,
      workerSecret: null,
      previousWorkerSecrets: [],
      adminToken: null,
      managedPairSecret: null,
      servers: null,
      bucket: null,
      tracing: null,
      dataDir: join(homedir(), '.qualinet-bridge'),
      trustedProxies: [],
      endOfVersions: null,
      timing: {},
    });
  });

  it('takes an empty variable for one that is not set', () => {
    expect(
      readBridgeConfig({ HOST: '', PORT: '', PUBLIC_URL: '', REDIS_URL: '', QUALINET_DATA_DIR: '' }),
    ).toEqual(readBridgeConfig({}));
  });

  it('takes a secret that is being replaced beside the one that replaces it, and only so', () => {
    const previous = 'a secret that is being replaced';
    const config = readBridgeConfig({
      WORKER_SECRET: 'the one that comes after it',
      WORKER_SECRET_PREVIOUS: previous,
    });
    expect(config.previousWorkerSecrets.map((secret) => secret.reveal())).toEqual([previous]);
    expect(problemsOf({ WORKER_SECRET_PREVIOUS: previous }).join()).toMatch(/^WORKER_SECRET: is needed/);
    expect(problemsOf({ WORKER_SECRET: previous, WORKER_SECRET_PREVIOUS: previous }).join()).toMatch(
      /must differ/,
    );
  });

  it('lets old runners end at a date, a day or an instant with its zone, and takes half of that for a mistake', () => {
    const end = (version: string, from: string) =>
      readBridgeConfig({ QUALINET_MIN_RUNNER_VERSION: version, QUALINET_MIN_RUNNER_FROM: from })
        .endOfVersions;
    expect(end('1.2.0', '2027-01-31')).toEqual({ minVersion: '1.2.0', fromMs: Date.UTC(2027, 0, 31) });
    expect(end('1.2.0', '2027-01-31T08:00:00+02:00')?.fromMs).toBe(Date.UTC(2027, 0, 31, 6));
    expect(
      problemsOf({ QUALINET_MIN_RUNNER_VERSION: '1.2', QUALINET_MIN_RUNNER_FROM: 'next spring' }).join(),
    ).toMatch(/VERSION: must be .*FROM: must be a date/);
    expect(problemsOf({ QUALINET_MIN_RUNNER_FROM: '2027-01-31' }).join()).toMatch(
      /QUALINET_MIN_RUNNER_VERSION: is needed/,
    );
  });

  it('cannot be changed and does not print its secrets', () => {
    const config = readBridgeConfig({
      WORKER_SECRET: 'hush-hush-hush-hush',
      QUALINET_ADMIN_TOKEN: 'psst-psst-psst-psst',
    });
    expect(Object.isFrozen(config)).toBe(true);
    expect(JSON.stringify(config)).not.toMatch(/hush|psst/);
    expect(config.workerSecret?.reveal()).toBe('hush-hush-hush-hush');
  });

  it('reports all problems at once, by the names of the variables', () => {
    const problems = problemsOf({
      HOST: '0.0.0.0',
      PORT: '70000',
      WORKER_SECRET: 'short',
      QUALINET_ADMIN_TOKEN: 'has spaces in it, and that is no token',
      QUALINET_ALLOW_MANAGED_PAIR: 'true',
      REDIS_URL: 'redis://localhost',
    });
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      'PORT',
      'WORKER_SECRET',
      'QUALINET_ADMIN_TOKEN',
      'DATABASE_URL',
      'PUBLIC_URL',
      'QUALINET_MANAGED_PAIR_SECRET',
    ]);
    expect(problems.join()).not.toContain('short,');
  });

  const servers = {
    DATABASE_URL: 'postgres://api:pw@db.internal/app',
    REDIS_URL: 'redis://:pw@redis.internal:6379',
    WORKER_SECRET: 'hush-hush-hush-hush',
    QUALINET_ADMIN_TOKEN: 'psst-psst-psst-psst',
  };

  it('takes the servers of a backend, with the queue of the original', () => {
    const config = readBridgeConfig(servers);
    expect(config.servers).toMatchObject({ queues: ['test-queue'], queuePrefix: 'bull' });
    expect(config.servers?.databaseUrl.reveal()).toBe(servers.DATABASE_URL);
    expect(config.servers?.redisUrl.reveal()).toBe(servers.REDIS_URL);
    expect(JSON.stringify(config)).not.toContain(':pw@');
  });

  it('prefers QUALINET_MANAGED_REDIS_URL to REDIS_URL', () => {
    const config = readBridgeConfig({ ...servers, QUALINET_MANAGED_REDIS_URL: 'rediss://managed.internal' });
    expect(config.servers?.redisUrl.reveal()).toBe('rediss://managed.internal');
  });

  it('takes several queues', () => {
    const { servers: taken } = readBridgeConfig({ ...servers, QUALINET_QUEUES: 'test-queue, nightly' });
    expect(taken?.queues).toEqual(['test-queue', 'nightly']);
    for (const QUALINET_QUEUES of [',', 'a:b', 'a b', 'a,a']) {
      expect(problemsOf({ ...servers, QUALINET_QUEUES })).toEqual([
        expect.stringMatching(/^QUALINET_QUEUES: /),
      ]);
    }
  });

  it.each([
    ['REDIS_URL', { REDIS_URL: '' }],
    ['WORKER_SECRET', { WORKER_SECRET: '' }],
    ['QUALINET_ADMIN_TOKEN', { QUALINET_ADMIN_TOKEN: '' }],
    ['DATABASE_URL', { DATABASE_URL: '' }],
    ['DATABASE_URL', { DATABASE_URL: 'mysql://db' }],
    ['REDIS_URL', { REDIS_URL: 'localhost:6379' }],
    ['REDIS_URL', { REDIS_URL: 'redis://' }],
    // Cut short by a character of the password.
    ['DATABASE_URL', { DATABASE_URL: 'postgres://user:p@ss/w#rd@db.internal/backend' }],
    ['DATABASE_URL', { DATABASE_URL: 'postgres://user:p@ss/word@db.internal/backend' }],
    ['REDIS_URL', { REDIS_URL: 'redis://user:p@ss/word@redis.internal:6379' }],
  ])('refuses half a set of servers, and addresses that are none: %s', (name, change) => {
    expect(problemsOf({ ...servers, ...change })).toEqual([expect.stringMatching(`^${name}: `)]);
  });

  const bucket = {
    B2_BUCKET_NAME: 'shots',
    B2_ENDPOINT: 's3.us-west-004.backblazeb2.com',
    B2_KEY_ID: '004abc',
    B2_APPLICATION_KEY: 'K004secret',
  };

  it('takes a bucket, beside the embedded default as well', () => {
    const config = readBridgeConfig(bucket);
    expect(config.bucket).toMatchObject({
      name: 'shots',
      endpoint: 'https://s3.us-west-004.backblazeb2.com',
      publicUrl: 'https://s3.us-west-004.backblazeb2.com/shots',
    });
    expect(JSON.stringify(config)).not.toContain('K004secret');
    const B2_PUBLIC_URL = 'https://cdn.example.com/shots/';
    expect(readBridgeConfig({ ...bucket, B2_PUBLIC_URL }).bucket?.publicUrl).toBe(
      'https://cdn.example.com/shots',
    );
  });

  it('refuses half a bucket, naming what it lacks', () => {
    for (const name of Object.keys(bucket)) {
      expect(problemsOf({ ...bucket, [name]: '' })).toEqual([expect.stringMatching(`^${name}: is needed`)]);
    }
    expect(problemsOf({ B2_PUBLIC_URL: 'https://cdn.example.com' })).toHaveLength(4);
  });

  it('needs PUBLIC_URL when others than this machine can reach it', () => {
    for (const HOST of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) {
      expect(readBridgeConfig({ HOST }).publicUrl).toBeNull();
    }
    for (const HOST of ['0.0.0.0', '::', '10.0.0.5', 'bridge.internal']) {
      expect(problemsOf({ HOST })).toEqual([expect.stringContaining(`HOST is ${HOST}`)]);
    }
    const config = readBridgeConfig({ HOST: '0.0.0.0', PUBLIC_URL: 'https://Bridge.Example.com/base/' });
    expect(config.publicUrl).toBe('https://bridge.example.com/base');
  });

  it.each([
    'bridge.example.com',
    'ftp://bridge.example.com',
    'https://b.example.com/?a=1',
    'https://b.example.com/#a',
    'https://user:pass@b.example.com',
  ])('refuses %s as PUBLIC_URL', (PUBLIC_URL) => {
    expect(problemsOf({ PUBLIC_URL })).toEqual([expect.stringContaining('PUBLIC_URL')]);
  });

  it('believes only proxies that are named by address or network', () => {
    expect(
      readBridgeConfig({ QUALINET_TRUSTED_PROXIES: '10.0.0.1, 10.1.0.0/16,::1' }).trustedProxies,
    ).toEqual(['10.0.0.1', '10.1.0.0/16', '::1']);
    for (const list of ['proxy.internal', '10.0.0.0/33', '1.2.3.4/8/8']) {
      expect(problemsOf({ QUALINET_TRUSTED_PROXIES: list })).toEqual([expect.stringContaining('CIDR')]);
    }
  });

  it('keeps heartbeat and gap a quarter of the ttl of leases', () => {
    const env = { QUALINET_LEASE_TTL_SECONDS: '8', QUALINET_MAX_RUN_SECONDS: '20' };
    expect(readBridgeConfig(env).timing).toEqual({
      leaseTtlMs: 8_000,
      heartbeatMs: 2_000,
      releaseGapMs: 2_000,
      runMs: 20_000,
    });
    expect(readBridgeConfig({}).timing).toEqual({});
  });

  it.each(['5', '3601', '10s', '-7', '1e1'])(
    'refuses a lease of %s seconds',
    (QUALINET_LEASE_TTL_SECONDS) => {
      expect(problemsOf({ QUALINET_LEASE_TTL_SECONDS })).toEqual([
        expect.stringContaining('QUALINET_LEASE_TTL_SECONDS'),
      ]);
    },
  );

  it('uses the managed secret only where managed pairing is allowed', () => {
    const QUALINET_MANAGED_PAIR_SECRET = 'x'.repeat(32);
    expect(readBridgeConfig({ QUALINET_MANAGED_PAIR_SECRET }).managedPairSecret).toBeNull();
    const allowed = readBridgeConfig({ QUALINET_MANAGED_PAIR_SECRET, QUALINET_ALLOW_MANAGED_PAIR: 'true' });
    expect(allowed.managedPairSecret?.reveal()).toBe(QUALINET_MANAGED_PAIR_SECRET);
  });
});

describe('the address of a socket', () => {
  it('has brackets around IPv6', () => {
    expect(addressUrl('127.0.0.1', 1)).toBe('http://127.0.0.1:1');
    expect(addressUrl('::1', 1)).toBe('http://[::1]:1');
  });
});
