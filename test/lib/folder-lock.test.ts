import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lockFolder } from '../../src/lib/folder-lock.ts';
import { tempFolder } from '../support/temp-folder.ts';

describe('a folder lock', () => {
  it('keeps a second one out, naming process and folder, until it is released', async () => {
    const folder = await tempFolder();
    const lock = await lockFolder(folder, 'the data folder');
    await expect(lockFolder(folder, 'the data folder')).rejects.toThrow(
      `the data folder is in use by process ${process.pid} (${folder})`,
    );
    await lock.release();
    await (await lockFolder(folder, 'the data folder')).release();
  });

  it('of a process that has ended is taken over', async () => {
    const folder = await tempFolder();
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    await writeFile(join(folder, 'lock'), `${child.pid} unknown\n`);
    await expect(lockFolder(folder, 'it')).rejects.toThrow(`in use by process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'close');
    const lock = await lockFolder(folder, 'it');
    expect(await readFile(join(folder, 'lock'), 'utf8')).toMatch(new RegExp(`^${process.pid} `));
    await lock.release();
  });

  it('of a process whose number was given to another one is taken over', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'lock'), `${process.pid} 1\n`);
    await (await lockFolder(folder, 'it')).release();
  });

  it('is taken by exactly one of many who find a dead one at once', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'lock'), '999999999 1\n');
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder, 'it')));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('does not delete the lock of the one that came after', async () => {
    const folder = await tempFolder();
    const lock = await lockFolder(folder, 'it');
    await writeFile(join(folder, 'lock'), '1 1\n');
    await lock.release();
    expect(await readFile(join(folder, 'lock'), 'utf8')).toBe('1 1\n');
  });

  it('says when the folder cannot be made', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'file'), '');
    await expect(lockFolder(join(folder, 'file', 'below'), 'it')).rejects.toThrow(
      /cannot make the folder .*ENOTDIR/,
    );
  });
});
