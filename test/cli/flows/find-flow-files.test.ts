import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findFlowFiles } from '../../../src/cli/flows/find-flow-files.ts';
import { tempFolder } from '../../support/temp-folder.ts';

async function folderWith(...paths: string[]): Promise<string> {
  const folder = await tempFolder();
  for (const path of paths) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), '{}');
  }
  return folder;
}

describe('what the arguments of run name', () => {
  it('is a file for a file, also for one that is not there, and standard input for a dash', async () => {
    const cwd = await folderWith('a.json');
    expect(await findFlowFiles(['a.json'], cwd)).toEqual({
      files: [{ path: 'a.json', isNamed: true }],
      isSingle: true,
    });
    expect(await findFlowFiles(['b.json'], cwd)).toMatchObject({
      files: [{ path: 'b.json' }],
      isSingle: true,
    });
    expect(await findFlowFiles(['-'], cwd)).toMatchObject({ files: [{ path: '-' }], isSingle: true });
  });

  it('is all of a folder, in the order of names, without what packages and hidden folders hold', async () => {
    const cwd = await folderWith(
      'flows/b.json',
      'flows/a/z.side',
      'flows/a.jsonl',
      'flows/readme.md',
      'flows/node_modules/x/package.json',
      'flows/.cache/y.json',
    );
    const { files, isSingle } = await findFlowFiles(['flows'], cwd);
    expect(files.map(({ path }) => path)).toEqual(['flows/a.jsonl', 'flows/a/z.side', 'flows/b.json']);
    expect(files.every(({ isNamed }) => !isNamed)).toBe(true);
    expect(isSingle).toBe(false);
  });

  it('is what a pattern matches, each file once', async () => {
    const cwd = await folderWith('flows/a.json', 'flows/b.json', 'flows/c.txt');
    const { files } = await findFlowFiles(['flows/*.json', 'flows/a.json', 'flows/{b,c}.*'], cwd);
    expect(files.map(({ path }) => path)).toEqual(['flows/a.json', 'flows/b.json', 'flows/c.txt']);
  });

  it('is each file once, however it is written, and a named one stays named', async () => {
    const cwd = await folderWith('flows/a.json', 'flows/b.json');
    const { files } = await findFlowFiles(['flows', './flows/a.json', join(cwd, 'flows/a.json')], cwd);
    expect(files).toEqual([
      { path: 'flows/a.json', isNamed: true },
      { path: 'flows/b.json', isNamed: false },
    ]);
  });

  it('is a file whose name looks like a pattern, where there is one', async () => {
    const cwd = await folderWith('flow [1].json');
    expect(await findFlowFiles(['flow [1].json'], cwd)).toMatchObject({ isSingle: true });
  });

  it.each(['empty', 'none/*.json'])('is refused when there is nothing in %s', async (arg) => {
    const cwd = await tempFolder();
    await mkdir(join(cwd, 'empty'));
    await expect(findFlowFiles([arg], cwd)).rejects.toThrow(`there are no flows in ${arg}`);
  });
});
