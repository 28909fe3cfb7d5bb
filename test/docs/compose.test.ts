import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAgentConfig } from '../../src/agent/config/agent-config.ts';
import { bridgeVariables, readBridgeConfig } from '../../src/bridge/config.ts';
import {
  type ComposeService,
  composeFile,
  composeText,
  exampleVariables,
  referredVariables,
} from '../support/compose-file.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const secrets = {
  WORKER_SECRET: 'a'.repeat(64),
  QUALINET_ADMIN_TOKEN: 'b'.repeat(64),
  POSTGRES_PASSWORD: 'c'.repeat(64),
  REDIS_PASSWORD: 'd'.repeat(64),
};
const compose = composeFile(secrets);
const services = Object.entries(compose.services) as [keyof typeof compose.services, ComposeService][];

/** The variables that a runner looks for, as it looks for them. */
function runnerVariables(): Set<string> {
  const names = new Set<string>();
  readAgentConfig(
    new Proxy<Record<string, string>>(
      {},
      {
        get(_, name) {
          names.add(String(name));
          return undefined;
        },
      },
    ),
  );
  return names;
}

describe('compose.yaml', () => {
  it('sets nothing but what the programs read', () => {
    expect(bridgeVariables).toContain('PUBLIC_URL');
    expect(runnerVariables()).toContain('API_BASE_URL');
    for (const name of Object.keys(compose.services.bridge.environment))
      expect(bridgeVariables).toContain(name);
    for (const name of Object.keys(compose.services.runner.environment)) {
      expect([...runnerVariables()]).toContain(name);
    }
  });

  it('gives the bridge a configuration that it takes, with and without a bucket', () => {
    // The image says where it listens.
    const image = { HOST: '0.0.0.0', PORT: '4870', QUALINET_DATA_DIR: '/data' };
    for (const [name, value] of Object.entries(image)) {
      expect(read('Dockerfile')).toMatch(new RegExp(`^(ENV| ).*\\b${name}=${value}\\b`, 'm'));
    }
    const config = readBridgeConfig({ ...image, ...compose.services.bridge.environment });
    expect(config).toMatchObject({ publicUrl: 'http://bridge:4870', bucket: null });
    expect(config.servers?.queues).toEqual(['test-queue']);
    expect(config.servers?.databaseUrl.reveal()).toBe(
      `postgres://qualinet:${secrets.POSTGRES_PASSWORD}@postgres:5432/qualinet`,
    );
    const bucket = {
      B2_BUCKET_NAME: 'pictures',
      B2_ENDPOINT: 's3.eu-central-003.backblazeb2.com',
      B2_KEY_ID: 'id',
      B2_APPLICATION_KEY: 'key',
      B2_PUBLIC_URL: 'https://pictures.example.com',
    };
    const { bridge } = composeFile({ ...secrets, ...bucket }).services;
    expect(readBridgeConfig({ ...image, ...bridge.environment }).bucket).toMatchObject({
      name: 'pictures',
      publicUrl: 'https://pictures.example.com',
    });
  });

  it('gives the runner the address that the bridge is known by, whatever that is', () => {
    for (const more of [{}, { PUBLIC_URL: 'https://bridge.example.com' }]) {
      const { bridge, runner } = composeFile({ ...secrets, ...more }).services;
      expect(readAgentConfig(runner.environment)).toMatchObject({
        apiBaseUrl: bridge.environment['PUBLIC_URL'],
        workerSecret: expect.anything(),
      });
    }
  });

  it('keeps servers and storage from the runner: no variable, no network', () => {
    const { runner, bridge, redis, postgres } = compose.services;
    for (const [name, value] of Object.entries(runner.environment)) {
      expect(`${name}=${value}`).not.toMatch(/redis|postgres|database|^B2_|admin/i);
    }
    for (const server of [redis, postgres]) {
      expect(server.networks.filter((name) => runner.networks.includes(name))).toEqual([]);
      expect(server.networks.some((name) => bridge.networks.includes(name))).toBe(true);
      expect(server.networks.every((name) => compose.networks[name]?.internal === true)).toBe(true);
    }
    expect(runner.networks.some((name) => bridge.networks.includes(name))).toBe(true);
  });

  it('holds no secret: each comes from .env, and nothing starts without', () => {
    for (const name of Object.keys(secrets)) {
      const others = Object.fromEntries(Object.entries(secrets).filter(([other]) => other !== name));
      expect(() => composeFile(others)).toThrow(`required variable ${name} is missing a value`);
      expect(() => composeFile({ ...secrets, [name]: '' })).toThrow(name);
    }
    const fromFile = ['', ...Object.values(secrets)];
    for (const [, { environment }] of services) {
      for (const [name, value] of Object.entries(environment)) {
        if (/SECRET|TOKEN|PASSWORD|KEY|AUTH/.test(name)) expect(fromFile).toContain(value);
        if (/^\w+:\/\//.test(value)) expect(fromFile).toContain(new URL(value).password);
      }
    }
    expect(compose.services.redis.command.at(-1)).toBe(secrets.REDIS_PASSWORD);
    for (const name of ['.gitignore', '.dockerignore']) expect(read(name).split('\n')).toContain('.env');
  });

  it('names in .env.example every variable it takes, the required ones without a value', () => {
    const referred = referredVariables();
    expect(referred.length).toBeGreaterThan(10);
    expect([...new Set(referred.map(({ name }) => name))].sort()).toEqual(
      Object.keys(exampleVariables).sort(),
    );
    for (const { rest } of referred) expect(rest).toMatch(/^:[-?]/);
    const required = new Set(referred.filter(({ rest }) => rest.startsWith(':?')).map(({ name }) => name));
    expect([...required].sort()).toEqual(Object.keys(secrets).sort());
    expect(Object.values(exampleVariables).filter((value) => value !== '')).toEqual([]);
    expect(composeText.replace(/\$\{[A-Z0-9_]+:[-?][^{}$]*\}/g, '')).not.toContain('$');
  });

  it('builds targets that the Dockerfile has, under the version of this package', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    for (const name of ['bridge', 'runner'] as const) {
      const { build, image } = compose.services[name];
      expect(read('Dockerfile')).toMatch(new RegExp(`^FROM \\S+ AS ${build?.target}$`, 'm'));
      expect(build?.target).toBe(name);
      expect(image.split(':')[1]).toBe(version.split('.')[0]);
    }
  });

  it.each(services)(
    '%s: has an image of one major version, a restart policy and an init process',
    (_, given) => {
      expect(given.image).toMatch(/^[a-z-]+:\d+$/);
      expect(given.restart).toMatch(/^(unless-stopped|on-failure:\d+)$/);
      // Ours start under tini (dockerfile.test.ts); a second one would complain.
      expect(given.init).toBe(given.build === undefined);
      expect(given.security_opt).toEqual(['no-new-privileges:true']);
    },
  );

  it('refers only to what is there', () => {
    for (const [, { networks, volumes, depends_on }] of services) {
      for (const name of networks) expect(compose.networks).toHaveProperty(name);
      for (const volume of volumes) {
        const [source = '', target = ''] = volume.split(':');
        expect(target).toMatch(/^\//);
        if (source.startsWith('.')) expect(existsSync(join(root, source))).toBe(true);
        else expect(compose.volumes).toHaveProperty(source);
      }
      for (const [name, { condition }] of Object.entries(depends_on)) {
        const found = services.find(([service]) => service === name)?.[1];
        if (condition === 'service_healthy') expect(found?.healthcheck).toBeDefined();
      }
    }
    const used = services.flatMap(([, { volumes }]) => volumes.map((volume) => volume.split(':')[0]));
    expect(used).toEqual(expect.arrayContaining(Object.keys(compose.volumes)));
  });

  it("publishes the bridge's port and nothing else, to this machine alone", () => {
    expect(compose.services.bridge.ports).toEqual(['127.0.0.1:4870:4870']);
    for (const [name, { ports }] of services) if (name !== 'bridge') expect(ports).toEqual([]);
    expect(
      composeFile({ ...secrets, BRIDGE_ADDRESS: '0.0.0.0', BRIDGE_PORT: '80' }).services.bridge.ports,
    ).toEqual(['0.0.0.0:80:4870']);
  });

  it('gives Chromium its shared memory, a runner time to finish, and up after it was refused', () => {
    const { runner } = compose.services;
    expect(runner.shm_size).toBe('2gb');
    expect(runner.stop_grace_period).toBe('5m30s');
    expect(runner.restart).toMatch(/^on-failure:\d$/);
    const home = /QUALINET_HOME=(\S+)/.exec(read('Dockerfile'))?.[1];
    expect(runner.volumes).toEqual([`runner-home:${home}`]);
    for (const name of ['bridge', 'runner'] as const)
      expect(compose.services[name].cap_drop).toEqual(['ALL']);
    expect(compose.services.bridge.read_only).toBe(true);
  });
});
