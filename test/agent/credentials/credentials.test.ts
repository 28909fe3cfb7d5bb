import { chmod, chown, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findRedisUrl } from '../../../src/agent/client/redis-url.ts';
import {
  credentialsPath,
  deleteCredentials,
  newestKey,
  readCredentials,
  requireCredentials,
  saveCredentials,
} from '../../../src/agent/credentials/credentials.ts';
import { EnvironmentError, NotPairedError } from '../../../src/lib/errors.ts';
import { readPrivateJsonFile } from '../../../src/lib/json-file.ts';
import { FakeBridge } from '../../support/fake-bridge.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const credentials = () => {
  const bridge = new FakeBridge();
  bridge.url = 'https://bridge.test';
  return bridge.credentials();
};

async function homeWith(change: (file: Record<string, unknown>) => unknown): Promise<string> {
  const home = await tempFolder();
  await saveCredentials(home, credentials());
  const path = credentialsPath(home);
  await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')))));
  return home;
}

describe('runner.json', () => {
  it('is read as it was saved, and only its owner can read it', async () => {
    const home = join(await tempFolder(), 'new', 'home');
    const saved = credentials();
    await saveCredentials(home, saved);
    const read = await requireCredentials(home);
    expect({ ...read, keys: [] }).toEqual({ ...saved, keys: [] });
    expect(newestKey(read).secret.reveal()).toBe(newestKey(saved).secret.reveal());
    expect((await stat(credentialsPath(home))).mode & 0o777).toBe(0o600);
    expect((await stat(home)).mode & 0o777).toBe(0o700);
  });

  it('that is not there means not paired, with the command to type', async () => {
    const home = await tempFolder();
    expect(await readCredentials(home)).toBeNull();
    const error = await requireCredentials(home).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(NotPairedError);
    expect(error).toMatchObject({ hint: expect.stringContaining('qualinet pair CODE') });
  });

  it.each([
    ['redisUrl at the top', { redisUrl: 'redis://h' }],
    ['redis_url inside', { managed: { redis_url: 'x' } }],
    ['REDIS-URL in a list', { list: [{ 'REDIS-URL': 'x' }] }],
    ['a Redis address under another name', { cache: 'rediss://user:pw@h:6379' }],
  ])('with %s is refused and says so', async (_name, extra) => {
    const home = await homeWith((file) => ({ ...file, ...extra }));
    await expect(readCredentials(home)).rejects.toThrow(/holds a Redis address/);
  });

  it.each<[string, (file: Record<string, unknown>) => unknown]>([
    ['an unknown field', (file) => ({ ...file, surprise: 1 })],
    ['another version', (file) => ({ ...file, version: 2 })],
    ['no keys', (file) => ({ ...file, keys: [] })],
    ['no object', () => []],
  ])('with %s is refused', async (_name, change) => {
    await expect(readCredentials(await homeWith(change))).rejects.toThrow(EnvironmentError);
  });

  it.each(['', '{"version":'])('that holds no JSON (%s) is refused with what to type', async (text) => {
    const home = await homeWith((file) => file);
    await writeFile(credentialsPath(home), text);
    await expect(readCredentials(home)).rejects.toMatchObject({
      message: expect.stringContaining('holds no valid JSON'),
      hint: 'Pair again: qualinet pair --force',
    });
  });

  it('that others can read, or that is a link, is refused', async () => {
    const home = await homeWith((file) => file);
    await chmod(credentialsPath(home), 0o644);
    await expect(readCredentials(home)).rejects.toThrow('can be read by other users');
    const other = await tempFolder();
    await symlink(credentialsPath(home), credentialsPath(other));
    await expect(readCredentials(other)).rejects.toThrow('symbolic link');
  });

  it('of another user is refused', async () => {
    const home = await homeWith((file) => file);
    // Only root can give a file away; anybody else looks at one of root's.
    if (process.getuid?.() === 0) await chown(credentialsPath(home), 65_534, 65_534);
    const path = process.getuid?.() === 0 ? credentialsPath(home) : '/etc/passwd';
    await expect(readPrivateJsonFile(path)).rejects.toThrow('belongs to another user');
  });

  it('can be deleted twice', async () => {
    const home = await homeWith((file) => file);
    await deleteCredentials(home);
    await deleteCredentials(home);
    expect(await readCredentials(home)).toBeNull();
  });

  it('signs with its newest key', () => {
    const bridge = new FakeBridge();
    const one = credentials();
    const second = { ...bridge.keyOf(one.runnerId, 2), generation: 2, notBefore: '', notAfter: '' };
    expect(newestKey({ keys: [second, ...one.keys] })).toBe(second);
  });
});

describe('looking for a Redis address', () => {
  it('names the place, and finds nothing in what only sounds like it', () => {
    expect(findRedisUrl({ a: [{ redisURL: 1 }] })).toBe('a.0.redisURL');
    expect(findRedisUrl({ redis: 'none', url: 'https://redis.test', name: 'redis url' })).toBeNull();
  });
});
