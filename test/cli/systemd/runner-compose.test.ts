import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type RunnerCompose, runnerCompose } from '../../../src/cli/systemd/runner-compose.ts';

const plain: RunnerCompose = {
  version: '1.2.3',
  name: 'qualinet',
  startArguments: ['--concurrency', '2'],
  files: [],
  secrets: null,
  drainMs: 300_000,
};

interface Read {
  services: { runner: Record<string, unknown> & { command: string[]; healthcheck: { test: string[] } } };
  secrets?: unknown;
}
/** As compose reads it: `$$` is a dollar. */
const read = (over: Partial<RunnerCompose> = {}): Read => {
  const undoubled = (value: unknown): unknown => {
    if (typeof value === 'string') {
      expect(value.replaceAll('$$', '')).not.toContain('$');
      return value.replaceAll('$$', '$');
    }
    if (Array.isArray(value)) return value.map(undoubled);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, undoubled(part)]));
  };
  return undoubled(parse(runnerCompose({ ...plain, ...over }))) as Read;
};

describe('the compose file of a runner', () => {
  it('is shut in, and has what Chromium needs', () => {
    const { runner } = read().services;
    expect(runner).toMatchObject({
      image: 'qualinet:1',
      restart: 'on-failure:5',
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      shm_size: '1gb',
      volumes: ['runner-home:/home/qualinet/.qualinet'],
    });
    expect(runner).not.toHaveProperty('ports');
    expect(runner).not.toHaveProperty('privileged');
    expect(runner).not.toHaveProperty('user');
  });

  it.each([
    [300_000, '330s', '300'],
    [0, '30s', '0'],
    [3_600_000, '3630s', '3600'],
  ])('gives a drain of %i ms its time', (drainMs, grace, seconds) => {
    const { runner } = read({ drainMs }).services;
    expect(runner['stop_grace_period']).toBe(grace);
    expect(runner['environment']).toMatchObject({ QUALINET_DRAIN_SECONDS: seconds });
  });

  it('asks the health listener that it starts', () => {
    const { command, healthcheck } = read().services.runner;
    expect(command).toEqual(['start', '--concurrency', '2', '--health-listen', '4871']);
    expect(healthcheck.test.join(' ')).toContain("'http://127.0.0.1:4871/live'");
  });

  it('hands over files and secrets under paths of the container, whatever is in their names', () => {
    const { services, secrets } = read({
      startArguments: ['--only-hosts', 'a.example'],
      files: [{ flag: '--ca-file', path: '/etc/my "$ca/ca.pem' }],
      secrets: '/etc/qualinet/secrets.json',
    });
    const { runner } = services;
    expect(runner.command).toEqual([
      ...[
        'start',
        '--only-hosts',
        'a.example',
        '--ca-file',
        '/etc/qualinet/ca.pem',
        '--health-listen',
        '4871',
      ],
    ]);
    expect(runner['volumes']).toContainEqual({
      type: 'bind',
      source: '/etc/my "$ca/ca.pem',
      target: '/etc/qualinet/ca.pem',
      read_only: true,
    });
    expect(runner['secrets']).toEqual(['qualinet_secrets']);
    expect(runner['environment']).toMatchObject({ QUALINET_SECRETS: '/run/secrets/qualinet_secrets' });
    expect(secrets).toEqual({ qualinet_secrets: { file: '/etc/qualinet/secrets.json' } });
  });
});
