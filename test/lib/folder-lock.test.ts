import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lockFolder, lockHolder } from '../../src/lib/folder-lock.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

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

  it('says who holds it: nobody, a process that lives, or one unseen that touches it', async () => {
    const folder = await tempFolder();
    expect(await lockHolder(folder)).toBeNull();
    const lock = await lockFolder(folder, 'it');
    expect(await lockHolder(folder)).toBe(process.pid);
    await lock.release();
    const path = join(folder, 'lock');
    await writeFile(path, `${process.pid} 1\n`);
    expect(await lockHolder(folder)).toBeNull();
    await writeFile(path, '7 1 pid:[1]@another-boot\n');
    expect(await lockHolder(folder)).toBe(7);
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(path, longAgo, longAgo);
    expect(await lockHolder(folder)).toBeNull();
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

  it('of a process that has ended, but that its parent has not collected yet, is taken over', async () => {
    const folder = await tempFolder();
    // The shell starts a child, tells its number and becomes a program that never waits for it; only then the child may end.
    const shell = spawn('sh', ['-c', 'cat <&3 & echo $!; exec sleep 60 3<&-'], {
      stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
    });
    onTestFinished(() => void shell.kill('SIGKILL'));
    const [pid] = (await once(shell.stdio[1] as Readable, 'data')) as [Buffer];
    await until('the shell is no more', async () =>
      (await readFile(`/proc/${shell.pid}/cmdline`, 'utf8')).startsWith('sleep'),
    );
    (shell.stdio[3] as Writable).end();
    await until('the child to be a zombie', async () =>
      / Z /.test(await readFile(`/proc/${String(pid).trim()}/stat`, 'utf8')),
    );
    await writeFile(join(folder, 'lock'), `${String(pid).trim()} unknown\n`);
    await (await lockFolder(folder, 'it')).release();
  });

  it('of a process in another container holds while it is touched, and is taken over when it no longer is', async () => {
    const folder = await tempFolder();
    const path = join(folder, 'lock');
    const timing = { beatMs: 50, silenceMs: 600 };
    await writeFile(path, `${process.pid} 1 pid:[1]@other\n`);
    const beat = setInterval(() => void utimes(path, new Date(), new Date()), 50);
    await expect(lockFolder(folder, 'it', timing)).rejects.toThrow(`in use by process ${process.pid}`);
    clearInterval(beat);
    await (await lockFolder(folder, 'it', timing)).release();
  });

  it('is taken over although a process was killed while it did so', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'lock'), '999999999 1\n');
    await mkdir(join(folder, 'lock.takeover'));
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(join(folder, 'lock.takeover'), longAgo, longAgo);
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
