import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readEngineConfig } from '../../../src/agent/config/agent-config.ts';
import { readSecrets } from '../../../src/agent/secrets/read-secrets.ts';
import { ExpectedError } from '../../../src/lib/errors.ts';
import { parseHostPattern } from '../../../src/lib/host-pattern.ts';
import { type Log, silentLog } from '../../../src/lib/log.ts';
import { tempFolder } from '../../support/temp-folder.ts';

async function secretsFrom(
  env: Record<string, string>,
  {
    log = silentLog,
    mounts = [] as string[],
    cwd = '/',
  }: { log?: Log; mounts?: string[]; cwd?: string } = {},
) {
  return readSecrets(readEngineConfig(env), {
    log,
    cwd,
    hostsOfOthers: [parseHostPattern('app.test')],
    mounts,
  });
}

async function fileWith(content: unknown, mode = 0o600): Promise<string> {
  const path = join(await tempFolder(), 'secrets.json');
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content), { mode });
  return path;
}

async function refusalOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ExpectedError)) throw new Error(`not refused: ${String(error)}`);
  return [error.message, ...error.problems, error.hint ?? ''].join('\n');
}

describe('the secrets of a machine', () => {
  it('come from a file, with hosts and uses of their own or without', async () => {
    const path = await fileWith({
      PW: 'plain value',
      TOKEN: { value: 'the token', hosts: ['*.example.com', 'localhost:3000'], use: ['type', 'navigate'] },
    });
    const secrets = await secretsFrom({ QUALINET_SECRETS: path });
    expect(secrets.names).toEqual(['PW', 'TOKEN']);
    expect(secrets.get('PW')?.value.reveal()).toBe('plain value');
    expect(secrets.get('PW')).toMatchObject({ use: ['type'], namesHosts: false });
    expect(secrets.get('PW')?.hosts?.map(({ text }) => text)).toEqual(['app.test']);
    expect(secrets.get('TOKEN')).toMatchObject({ use: ['type', 'navigate'], namesHosts: true });
    expect(secrets.get('TOKEN')?.hosts?.map(({ text }) => text)).toEqual(['*.example.com', 'localhost:3000']);
    expect(secrets.redactor.text('plain value, the token')).toBe('<redacted PW>, <redacted TOKEN>');
    expect(JSON.stringify(secrets.get('PW'))).not.toContain('plain value');
  });

  it('come from the environment, from the credentials of systemd, and from what a container mounts', async () => {
    const [credentials, mounted] = [await tempFolder(), await tempFolder()];
    await writeFile(join(credentials, 'qualinet.var.ONE'), 'first value\n', { mode: 0o400 });
    await writeFile(join(credentials, 'qualinet.secrets'), JSON.stringify({ TWO: 'second value' }));
    await writeFile(join(credentials, 'another.program'), 'not ours');
    await writeFile(join(mounted, 'qualinet.var.THREE'), 'third value', { mode: 0o444 });
    const secrets = await secretsFrom(
      { QUALINET_VAR_FOUR: 'fourth value', QUALINET_VAR_EMPTY: '', CREDENTIALS_DIRECTORY: credentials },
      { mounts: [mounted, '/does/not/exist'] },
    );
    expect(
      Object.fromEntries(secrets.names.map((name) => [name, secrets.get(name)?.value.reveal()])),
    ).toEqual({
      ONE: 'first value',
      TWO: 'second value',
      THREE: 'third value',
      FOUR: 'fourth value',
    });
  });

  it('of the same name count from the file, then the environment, then the credentials, which is told', async () => {
    const said: string[] = [];
    const log = { ...silentLog, warn: (message: string) => void said.push(message) };
    const credentials = await tempFolder();
    await writeFile(join(credentials, 'qualinet.var.PW'), 'of the credentials');
    await writeFile(join(credentials, 'qualinet.var.ENV'), 'of the credentials');
    const path = await fileWith({ PW: 'of the file' });
    const env = {
      QUALINET_SECRETS: path,
      QUALINET_VAR_PW: 'of the environment',
      QUALINET_VAR_ENV: 'of the environment',
    };
    const secrets = await secretsFrom({ ...env, CREDENTIALS_DIRECTORY: credentials }, { log });
    expect(secrets.get('PW')?.value.reveal()).toBe('of the file');
    expect(secrets.get('ENV')?.value.reveal()).toBe('of the environment');
    expect(said).toEqual([
      `the secret PW comes from ${path}; that of QUALINET_VAR_PW is not used`,
      `the secret ENV comes from QUALINET_VAR_ENV; that of ${join(credentials, 'qualinet.var.ENV')} is not used`,
      `the secret PW comes from ${path}; that of ${join(credentials, 'qualinet.var.PW')} is not used`,
    ]);
  });

  it('are refused with all problems at once, none of which repeats a value', async () => {
    const path = await fileWith({
      'hunter2 as a name': 'PW',
      A: { value: 7, hosts: ['not a host, but hunter2'] },
      B: { value: 'hunter2-hunter2', hosts: [], use: ['hunter2'] },
      C: { valeu: 'hunter2' },
      D: ['hunter2'],
      E: 'abc',
      F: 'hunter2'.repeat(2_000),
    });
    const told = await refusalOf(secretsFrom({ QUALINET_SECRETS: path, QUALINET_VAR_9: 'hunter2!' }));
    for (const part of [
      'entry 1: the name',
      'A.value',
      'A.hosts[0]',
      'B.hosts',
      'B.use[0]',
      'C',
      'D',
      'E: the value must have at least 4',
      'F: the value must have at most',
      'QUALINET_VAR_9: the name',
    ]) {
      expect(told).toContain(part);
    }
    expect(told).not.toContain('hunter2');
  });

  it.each([
    ['is no JSON', '{ "PW": "hunter2" oops', /holds no valid JSON/],
    ['is no object', '["hunter2"]', /must hold an object/],
  ])('are refused when their file %s, without a word of it', async (_, content, message) => {
    const told = await refusalOf(secretsFrom({ QUALINET_SECRETS: await fileWith(content) }));
    expect(told).toMatch(message);
    expect(told).not.toContain('hunter2');
  });

  it('are refused when others can read their file, when it is a link or not there', async () => {
    const open = await fileWith({ PW: 'plain value' });
    await chmod(open, 0o644);
    expect(await refusalOf(secretsFrom({ QUALINET_SECRETS: open }))).toMatch(
      /can be read by other users\n.*chmod 600/s,
    );
    const link = join(await tempFolder(), 'link.json');
    await symlink(await fileWith({ PW: 'plain value' }), link);
    expect(await refusalOf(secretsFrom({ QUALINET_SECRETS: link }))).toContain('is a symbolic link');
    expect(await refusalOf(secretsFrom({ QUALINET_SECRETS: 'nothing.json' }, { cwd: '/nowhere' }))).toContain(
      'there is no secrets file /nowhere/nothing.json',
    );
  });

  it('may be named in a folder that a container mounts for everybody, with a warning', async () => {
    const said: string[] = [];
    const mounted = await tempFolder();
    await mkdir(join(mounted, 'data'));
    await writeFile(join(mounted, 'data', 'all.json'), JSON.stringify({ PW: 'plain value' }), {
      mode: 0o444,
    });
    await symlink(join('data', 'all.json'), join(mounted, 'all.json'));
    const secrets = await secretsFrom(
      { QUALINET_SECRETS: join(mounted, 'all.json') },
      { mounts: [mounted], log: { ...silentLog, warn: (message) => void said.push(message) } },
    );
    expect(secrets.names).toEqual(['PW']);
    expect(said).toEqual([
      `${join(mounted, 'all.json')} can be read by every user of this machine or container`,
    ]);
  });

  it('of four or five characters are taken with a warning', async () => {
    const said: string[] = [];
    await secretsFrom(
      { QUALINET_VAR_PIN: '4821' },
      { log: { ...silentLog, warn: (message) => void said.push(message) } },
    );
    expect(said.join()).toContain('the secret PIN is short');
  });
});
