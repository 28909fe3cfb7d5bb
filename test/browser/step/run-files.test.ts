import { mkdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesIn, noFiles } from '../../../src/browser/step/run-files.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const blocked = expect.objectContaining({ kind: 'blocked' });

describe('the files of a run', () => {
  it('are none on a machine that names no folder, and it says how to name one', async () => {
    await expect(noFiles.toRead('a.txt')).rejects.toThrow(/so not a\.txt; start with --files FOLDER/);
    await expect(noFiles.toWrite('a.txt')).rejects.toEqual(blocked);
  });

  it('are those in the folder, also behind links within it', async () => {
    const folder = await realpath(await tempFolder());
    await mkdir(join(folder, 'deep'));
    await writeFile(join(folder, 'deep/a.txt'), 'A');
    await symlink('deep/a.txt', join(folder, 'link.txt'));
    const files = filesIn(folder);
    expect(await files.toRead('deep/a.txt')).toBe(join(folder, 'deep/a.txt'));
    expect(await files.toRead('./deep/../deep/a.txt').catch((error: unknown) => error)).toEqual(blocked);
    expect(await readFile(await files.toRead('link.txt'), 'utf8')).toBe('A');
  });

  it('are no others, whatever the path looks like', async () => {
    const outside = await tempFolder();
    await writeFile(join(outside, 'secret.txt'), 'S');
    const folder = join(outside, 'files');
    await mkdir(folder);
    await symlink('../secret.txt', join(folder, 'file-link'));
    await symlink('..', join(folder, 'folder-link'));
    const files = filesIn(folder);
    for (const path of [
      '../secret.txt',
      'a/../../secret.txt',
      '..\\secret.txt',
      join(outside, 'secret.txt'),
      'file-link',
      'folder-link/secret.txt',
    ]) {
      await expect(files.toRead(path), path).rejects.toEqual(blocked);
      await expect(files.toWrite(path), path).rejects.toEqual(blocked);
    }
    await expect(files.toWrite('folder-link/new.txt')).rejects.toEqual(blocked);
    await expect(files.toWrite('folder-link/new/new.txt')).rejects.toEqual(blocked);
    expect(await readFile(join(outside, 'secret.txt'), 'utf8')).toBe('S');
  });

  it('are written nowhere that a link leads to which leads nowhere yet', async () => {
    const outside = await tempFolder();
    const folder = join(outside, 'files');
    await mkdir(folder);
    await symlink('../not-there-yet.txt', join(folder, 'dangling'));
    await expect(filesIn(folder).toWrite('dangling')).rejects.toEqual(blocked);
    await expect(filesIn(folder).toWrite('dangling/a.txt')).rejects.toEqual(blocked);
  });

  it('may be in a folder that is not there yet when they are written', async () => {
    const folder = join(await tempFolder(), 'made');
    const path = await filesIn(folder).toWrite('a/b/c.txt');
    await writeFile(path, 'C');
    expect(await readFile(join(folder, 'a/b/c.txt'), 'utf8')).toBe('C');
  });

  it('are files, not folders', async () => {
    const folder = await tempFolder();
    await mkdir(join(folder, 'deep'));
    await expect(filesIn(folder).toRead('deep')).rejects.toThrow('deep is no file');
  });

  it('are told from those that are not there', async () => {
    await expect(filesIn(await tempFolder()).toRead('nothing.txt')).rejects.toMatchObject({
      kind: 'invalid_data',
      message: 'there is no file nothing.txt in the folder of files',
    });
  });
});
