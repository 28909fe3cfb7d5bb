import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPrivateFile, readTrustedFile } from '../../src/lib/guarded-file.ts';
import { tempFolder } from '../support/temp-folder.ts';

const read = (path: string) => readTrustedFile(path, { maxBytes: 100 });

async function written(text = 'rules'): Promise<string> {
  const path = join(await tempFolder(), 'rules.json');
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

describe('a file of rules', () => {
  it.each([0o600, 0o644, 0o444])('is read with the mode %o', async (mode) => {
    const path = await written();
    await chmod(path, mode);
    expect(await read(path)).toBe('rules');
  });

  it.each([0o620, 0o602, 0o666])('that others can write (%o) is refused with what to type', async (mode) => {
    const path = await written();
    await chmod(path, mode);
    await expect(read(path)).rejects.toMatchObject({
      message: `${path} can be written by other users`,
      hint: `Run: chmod go-w ${path}`,
    });
  });

  it('in a folder that others can write is refused, unless the folder is sticky', async () => {
    const path = await written();
    const folder = join(path, '..');
    await chmod(folder, 0o777);
    await expect(read(path)).rejects.toThrow(`the folder ${folder} can be written`);
    await chmod(folder, 0o1777);
    expect(await read(path)).toBe('rules');
  });

  it('that is a link, a folder or a pipe is refused, and nothing waits for a writer', async () => {
    const path = await written();
    const folder = join(path, '..');
    await symlink(path, join(folder, 'link'));
    await mkdir(join(folder, 'folder'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    await expect(read(join(folder, 'link'))).rejects.toThrow('symbolic link');
    await expect(read(join(folder, 'folder'))).rejects.toThrow('is no file');
    await expect(read(join(folder, 'pipe'))).rejects.toThrow('is no file');
  });

  it('that is larger than any a person writes is refused', async () => {
    await expect(read(await written('x'.repeat(101)))).rejects.toThrow('101 bytes');
  });

  it('that is not there is none', async () => {
    expect(await read(join(await tempFolder(), 'none'))).toBeNull();
  });

  it('that is private is not waited for either where it is a pipe', async () => {
    const pipe = join(await tempFolder(), 'pipe');
    execFileSync('mkfifo', [pipe], {});
    await expect(readPrivateFile(pipe)).rejects.toThrow('is no file');
  });

  // Only root can give a file to somebody else; for everybody else a file of root is at hand.
  it('belongs to us or to root', async () => {
    if (process.getuid?.() === 0) {
      const path = await written();
      await chown(path, 65_534, 65_534);
      await expect(read(path)).rejects.toThrow('belongs to another user (uid 65534)');
    } else {
      expect(await readTrustedFile('/etc/hostname', { maxBytes: 10_000 })).not.toBeNull();
    }
  });
});
