import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { qualinetBridge } from '../../src/bridge/cli/command-table.ts';
import { qualinet } from '../../src/cli/command-table.ts';
import { complete } from '../../src/command-line/complete.ts';

const words = (...typed: string[]): string[] => complete(qualinet, typed).words.map(({ word }) => word);
const paths = (...typed: string[]): string => complete(qualinet, typed).paths;

describe('completion', () => {
  it('begins with the commands of the table, and says what they are', () => {
    const { words: found } = complete(qualinet, ['']);
    for (const { name, summary } of qualinet.commands) expect(found).toContainEqual({ word: name, summary });
    expect(words('sta')).toEqual(expect.arrayContaining(['start', 'status']));
    expect(words('sta').every((word) => word.startsWith('sta'))).toBe(true);
    expect(words('--v')).toEqual(['--version']);
  });

  it('goes on with the options of the command, each once unless it may be repeated', () => {
    expect(words('run', '--')).toEqual(expect.arrayContaining(['--var', '--json', '--network', '--help']));
    expect(words('run', '--json', '--j')).toEqual([]);
    expect(words('run', '--var', 'A=1', '--va')).toEqual(['--var']);
    expect(words('start', '--var')).toEqual([]);
  });

  it.each([
    [
      ['run', '--network', ''],
      ['open', 'lan', 'public'],
    ],
    [['run', '--network', 'l'], ['lan']],
    [
      ['run', '--network='],
      ['--network=open', '--network=lan', '--network=public'],
    ],
    [['run', '--network=p'], ['--network=public']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish', 'powershell'],
    ],
    [['completion', 'bash', ''], []],
    [['help', 'env'], ['environment']],
    [['help', 'pa'], ['pair']],
    [['help', 'pair', ''], []],
    [['frobnicate', ''], []],
    [['run', '--', '--'], []],
    [['run', '--frob', '--netw'], ['--network']],
    [['--json', 'run', '--netw'], ['--network']],
  ])('of %j is %j', (typed, expected) => {
    expect(words(...typed)).toEqual(expected);
  });

  it.each([
    [['run', ''], 'files'],
    [['run', 'flow.json', ''], 'files'],
    [['export', 'flow.json', ''], 'none'],
    [['run', '--var', 'A=1', 'flo'], 'files'],
    [['run', '--json', 'flo'], 'files'],
    [['run', '--browser', ''], 'files'],
    [['run', '--browser=/usr'], 'files'],
    [['run', '--screenshots', ''], 'folders'],
    [['run', '--network', ''], 'none'],
    [['pair', ''], 'none'],
    [['start', ''], 'none'],
  ])('of %j leaves to the shell: %s', (typed, expected) => {
    expect(paths(...typed)).toBe(expected);
  });

  it('knows the other program as well', () => {
    expect(complete(qualinetBridge, ['submit', '--on-redelivery', 'f']).words).toEqual([
      { word: 'fail', summary: '' },
    ]);
  });
});

describe('what a help or a completion loads', () => {
  const src = join(import.meta.dirname, '../../src');

  /** Packages that are loaded with a file, itself and everything that it imports without waiting. */
  function packagesOf(path: string, seen = new Set<string>()): string[] {
    if (seen.has(path)) return [];
    seen.add(path);
    const text = readFileSync(path, 'utf8');
    return [...text.matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)';/gm)].flatMap(
      ([, from = '']) => {
        if (from.startsWith('node:')) return [];
        return from.startsWith('.') ? packagesOf(join(path, '..', from), seen) : [from];
      },
    );
  }

  it.each([
    'cli/main.ts',
    'cli/command-table.ts',
    'bridge/cli/main.ts',
    'bridge/cli/command-table.ts',
    'command-line/run-program.ts',
  ])('with %s is no package at all', (path) => {
    expect(packagesOf(join(src, path))).toEqual([]);
  });

  it('is seen where it is one', () => {
    expect(packagesOf(join(src, 'cli/commands/pair.ts'))).toContain('zod');
  });
});
