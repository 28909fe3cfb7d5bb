import { chmod, mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPrivateJsonFile, writeJsonFile } from '../../src/lib/json-file.ts';
import { tempFolder } from '../support/temp-folder.ts';

describe('a private JSON file', () => {
  it('is written 0600 in a 0700 folder, whatever the umask, and read back', async () => {
    const folder = join(await tempFolder(), 'home');
    const path = join(folder, 'a.json');
    const before = process.umask(0);
    await writeJsonFile(path, { a: [1] });
    process.umask(before);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(await readPrivateJsonFile(path)).toEqual({ a: [1] });
    expect(await readdir(folder)).toEqual(['a.json']);
  });

  it('that is not there reads as null', async () => {
    expect(await readPrivateJsonFile(join(await tempFolder(), 'none.json'))).toBeNull();
  });

  it('is never seen half written by readers while it is replaced', async () => {
    const path = join(await tempFolder(), 'a.json');
    await writeJsonFile(path, { n: 0 });
    const writes = Array.from({ length: 30 }, (_, n) => writeJsonFile(path, { n, pad: 'x'.repeat(50_000) }));
    const reads = Array.from({ length: 200 }, () => readPrivateJsonFile(path));
    for (const value of await Promise.all(reads)) expect(value).toHaveProperty('n');
    await Promise.all(writes);
  });

  it.each<[string, (path: string) => Promise<void>, RegExp]>([
    ['others can read', (path) => chmod(path, 0o644), /can be read by other users/],
    ['holds no JSON', (path) => writeFile(path, '{', { mode: 0o600 }), /holds no valid JSON/],
  ])('that %s is refused', async (_, spoil, message) => {
    const path = join(await tempFolder(), 'a.json');
    await writeJsonFile(path, {});
    await spoil(path);
    await expect(readPrivateJsonFile(path)).rejects.toThrow(message);
  });

  it('that is a symbolic link is refused', async () => {
    const folder = await tempFolder();
    await writeJsonFile(join(folder, 'real.json'), {});
    await symlink(join(folder, 'real.json'), join(folder, 'a.json'));
    await expect(readPrivateJsonFile(join(folder, 'a.json'))).rejects.toThrow(/symbolic link/);
  });

  it('that cannot be written leaves nothing behind and says where', async () => {
    const folder = await tempFolder();
    await mkdir(join(folder, 'a.json'));
    await expect(writeJsonFile(join(folder, 'a.json'), {})).rejects.toThrow(/cannot write .*a\.json/);
    expect(await readdir(folder)).toEqual(['a.json']);
  });
});
