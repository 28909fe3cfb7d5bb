import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { agentHome, readAgentConfig } from '../../../src/agent/config/agent-config.ts';
import { UsageError } from '../../../src/lib/errors.ts';
import { tempFolder } from '../../support/temp-folder.ts';

describe('the configuration', () => {
  it('has defaults for everything and is frozen', () => {
    const config = readAgentConfig({});
    expect(config).toMatchObject({
      home: join(homedir(), '.qualinet'),
      apiBaseUrl: null,
      workerSecret: null,
      managedPairSecret: null,
      browserPath: null,
      concurrency: 1,
      proxy: { httpProxy: '', httpsProxy: '', noProxy: '', extraCas: null },
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('takes a flag over its variable, and an empty variable as not set', () => {
    const env = { API_BASE_URL: 'https://env.test/', QUALINET_BROWSER: '', WORKER_SECRET: '' };
    const config = readAgentConfig(env, {
      api: 'https://flag.test/base/',
      labels: 'gpu, eu',
      concurrency: '3',
    });
    expect(config).toMatchObject({
      apiBaseUrl: 'https://flag.test/base',
      browserPath: null,
      workerSecret: null,
      labels: ['gpu', 'eu'],
      concurrency: 3,
    });
  });

  it('reports every problem at once, naming variable and flag', () => {
    const env = {
      API_BASE_URL: 'bridge.test',
      WORKER_SECRET: 'short',
      QUALINET_ALLOW_MANAGED_PAIR: 'yes',
      QUALINET_MANAGED_PAIR_SECRET: 'also too short',
      HTTPS_PROXY: 'socks5://user:hunter2@proxy:1080',
    };
    const read = () => readAgentConfig(env, { concurrency: '0', labels: 'a b' });
    expect(read).toThrow(UsageError);
    let problems: readonly string[] = [];
    try {
      read();
    } catch (error) {
      if (error instanceof UsageError) problems = error.problems;
    }
    const names = problems.map((problem) => problem.split(':')[0]);
    expect(names).toEqual([
      'API_BASE_URL (--api)',
      'WORKER_SECRET',
      'QUALINET_ALLOW_MANAGED_PAIR',
      'QUALINET_MANAGED_PAIR_SECRET',
      '--labels',
      'HTTPS_PROXY',
      '--concurrency',
    ]);
    expect(problems.join()).not.toContain('hunter2');
  });

  it.each([
    'ftp://bridge.test',
    'https://user:pass@bridge.test',
    'https://bridge.test/?a=1',
    'https://bridge.test/#x',
  ])('refuses the address %s', (address) => {
    expect(() => readAgentConfig({ API_BASE_URL: address })).toThrow(UsageError);
  });

  it('gives a proxy without a scheme one, and prefers the lower-case variable', () => {
    const { proxy } = readAgentConfig({
      HTTPS_PROXY: 'upper:1',
      https_proxy: 'proxy.test:3128',
      NO_PROXY: 'a,b',
    });
    expect(proxy).toMatchObject({ httpProxy: '', httpsProxy: 'http://proxy.test:3128', noProxy: 'a,b' });
  });

  it.each([
    ['http://us@er:p@ss@proxy:3128', null],
    ['http://user:p%40ss%2Fw%3Ard@proxy:3128', null],
    ['http://user:hunter2%zz@proxy:3128', 'written %25'],
    ['http://user:hunter2#x@proxy:3128', 'percent-encoded'],
    ['http://user:123/hunter2@proxy:3128', 'percent-encoded'],
    ['http://user:123?hunter2@proxy:3128', 'percent-encoded'],
    ['http://proxy:3128/path', 'something behind host and port'],
    ['http://proxy:99999', 'no address of an http proxy'],
  ])('judges the proxy %s without repeating its password', (address, problem) => {
    const read = () => readAgentConfig({ HTTP_PROXY: address });
    if (problem === null) return expect(read().proxy.httpProxy).toBe(address);
    try {
      read();
      expect.unreachable();
    } catch (error) {
      const told = (error as UsageError).problems?.join() ?? String(error);
      expect(told).toMatch(new RegExp(`^HTTP_PROXY: .*${problem}`));
      expect(told).not.toContain('hunter2');
    }
  });

  it('names the file of certificates that is none, and why', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'corp.pem'), 'no certificate');
    for (const [file, why] of [
      ['nothing.pem', 'is not there'],
      ['', 'is no file'],
      ['corp.pem', 'holds no certificate in PEM form'],
    ] as const) {
      const path = join(folder, file);
      try {
        readAgentConfig({ QUALINET_CA_FILE: 'x' }, { caFile: path });
        expect.unreachable();
      } catch (error) {
        const [problem] = (error as UsageError).problems;
        expect(problem).toContain(`QUALINET_CA_FILE (--ca-file): ${path.replace(/\/$/, '')}`);
        expect(problem).toContain(why);
      }
    }
  });

  it('keeps the managed secret only where managed pairing is allowed, and prints no secret', () => {
    const secret = 'x'.repeat(32);
    expect(readAgentConfig({ QUALINET_MANAGED_PAIR_SECRET: secret }).managedPairSecret).toBeNull();
    const config = readAgentConfig({
      QUALINET_MANAGED_PAIR_SECRET: secret,
      QUALINET_ALLOW_MANAGED_PAIR: 'true',
      WORKER_SECRET: 'y'.repeat(16),
    });
    expect(config.managedPairSecret?.reveal()).toBe(secret);
    expect(inspect(config, { depth: 5 }) + JSON.stringify(config)).not.toMatch(/x{32}|y{16}/);
  });

  it('takes the home from QUALINET_HOME', () => {
    expect(agentHome({ QUALINET_HOME: '/srv/runner' })).toBe('/srv/runner');
  });
});
