import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  mayImport,
  packageOwners,
  roomOf,
  roomOrder,
  type SourceFile,
  violations,
} from './support/import-rules.ts';

const root = join(import.meta.dirname, '..');

function filesUnder(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(
      (entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.parentPath.includes('node_modules'),
    )
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return {
        path: relative(join(root, folder), path).split(sep).join('/'),
        text: readFileSync(path, 'utf8'),
      };
    });
}

describe('the sources', () => {
  const sources = filesUnder('src');

  it('keep to the import table and the habits of the house', () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(violations(sources)).toEqual([]);
  });

  it('have no folder that the table does not know, and the table none that is not there', () => {
    const folders = new Set(
      sources.map(({ path }) => (path.startsWith('bridge/cli/') ? 'bridge/cli' : path.split('/')[0])),
    );
    expect([...folders].sort()).toEqual(Object.keys(mayImport).sort());
  });

  it.each(Object.keys(roomOrder))(
    'have no folder within %s that its order does not know, and the order none that is not there',
    (folder) => {
      const rooms = sources.map(({ path }) => roomOf(path)).filter((room) => room?.folder === folder);
      const names = new Set(rooms.map((room) => room?.name));
      expect([...names].sort()).toEqual([...(roomOrder[folder] ?? [])].sort());
    },
  );

  it('use every package that has an owner', () => {
    const text = sources.map((file) => file.text).join('\n');
    const unused = Object.keys(packageOwners).filter((name) => !new RegExp(`'${name}(/[^']*)?'`).test(text));
    expect(unused).toEqual([]);
  });

  it('have no file that grew into a drawer', () => {
    const long = sources.filter(({ text }) => text.split('\n').length > 400).map(({ path }) => path);
    expect(long).toEqual([]);
  });
});

describe('the tests', () => {
  it('mock no modules and skip nothing', () => {
    const forbidden = new RegExp(`\\bvi\\.${'mock'}\\(|\\b(it|describe|test)\\.(${'skip'}|only|todo)\\b`);
    const offenders = filesUnder('test')
      .filter(({ text }) => forbidden.test(text))
      .map(({ path }) => path);
    expect(offenders).toEqual([]);
  });
});

describe('the rules', () => {
  const offences: [string, SourceFile][] = [
    [
      'bridge may not import from agent',
      { path: 'bridge/a.ts', text: "import type { A } from '../agent/a.ts';" },
    ],
    [
      'agent may not import from bridge',
      { path: 'agent/a.ts', text: "const x = await import('../bridge/x.ts');" },
    ],
    [
      'bridge/events may not import from bridge/leases',
      { path: 'bridge/events/a.ts', text: "import type { A } from '../leases/a.ts';" },
    ],
    [
      'agent/client may not import from agent/lease',
      { path: 'agent/client/a.ts', text: "import type { A } from '../lease/a.ts';" },
    ],
    ['agent may not import from cli', { path: 'agent/a.ts', text: "export * from '../cli/x.ts';" }],
    [
      'drizzle-orm belongs to bridge',
      { path: 'agent/a.ts', text: "import { sql } from 'drizzle-orm/pg-core';" },
    ],
    [
      'playwright-core belongs to browser',
      { path: 'cli/a.ts', text: "createRequire(x); require('playwright-core');" },
    ],
    ['the package memcached has no owner', { path: 'bridge/a.ts', text: "import M from 'memcached';" }],
    ['the folder "utils" is not in the import table', { path: 'utils/a.ts', text: '' }],
    ['reads process.env', { path: 'lib/a.ts', text: 'export const a = process.env.A;' }],
    ['has a default export', { path: 'lib/a.ts', text: 'export default 1;' }],
  ];

  it.each(offences)('see that "%s"', (message, file) => {
    expect(violations([file])).toEqual([expect.stringContaining(message)]);
  });

  it('let through what is allowed', () => {
    const text =
      "import { z } from 'zod';\nimport { a } from '../lib/a.ts';\n// import x from '../bridge/x.ts'\n";
    expect(violations([{ path: 'agent/a.ts', text }])).toEqual([]);
  });
});
