import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startProgram } from '../../src/demo/child-program.ts';
import { startDemoSite } from '../../src/demo/demo-site.ts';
import { runnerEnv } from '../support/system.ts';

const root = join(import.meta.dirname, '../..');
const execute = promisify(execFile);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qualinet-package-'));
  const { stdout } = await execute(
    'npm',
    ['pack', '--ignore-scripts', '--json', '--pack-destination', folder],
    { cwd: root },
  );
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  await writeFile(join(folder, 'package.json'), '{"private":true}');
  await execute('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', `./${filename}`], {
    cwd: folder,
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describe('the packed runner', () => {
  it('installs into an empty folder as at most 4 packages and 25 MiB', async () => {
    const lock = JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, unknown>;
    };
    const installed = Object.keys(lock.packages).filter((path) => path !== '');
    expect(installed.length).toBeLessThanOrEqual(4);
    const sizes = await Promise.all(
      (await filesBelow(join(folder, 'node_modules'))).map(async (file) => (await stat(file)).size),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(25 * 1024 * 1024);
  });

  it('holds no Redis, database or storage code and nothing of the bridge', async () => {
    const own = await filesBelow(join(folder, 'node_modules/@qualitas-id/qualinet'));
    expect(own.length).toBeGreaterThan(3);
    const code = own.filter((file) => file.endsWith('.js'));
    const text = (await Promise.all(code.map((file) => readFile(file, 'utf8')))).join('\n');
    // What any of these libraries cannot be without, whatever a bundler names its parts.
    const traces =
      /\b(ioredis|bullmq|pglite|drizzle|fastify|aws4fetch|XADD|EVALSHA|SKIP LOCKED|x-amz-|postgres(ql)?:\/\/)/i;
    expect(text.match(traces)?.[0] ?? null).toBeNull();
    expect(
      own.filter((file) => /bridge(?!-client)|\.wasm$|\.sql$/.test(file.split('/').at(-1) ?? '')),
    ).toEqual([]);
    expect(text).toContain('/v1/leases/poll');
  });

  it('runs a flow from there', async () => {
    const site = await startDemoSite();
    const nodes = [
      { id: 's', type: 'start' },
      { id: 'open', type: 'navigate', data: { url: site.url } },
    ];
    await writeFile(
      join(folder, 'flow.json'),
      JSON.stringify({ nodes, edges: [{ source: 's', target: 'open' }] }),
    );
    const lines: string[] = [];
    const program = startProgram(
      join(folder, 'node_modules/.bin/qualinet'),
      ['run', join(folder, 'flow.json'), '--json'],
      {
        env: runnerEnv(join(folder, 'home')),
        onStdout: (line) => lines.push(line),
      },
    );
    expect(await program.ended, program.said()).toBe(0);
    expect(JSON.parse(lines.join(''))).toMatchObject({ status: 'passed' });
    await site.close();
  });

  it('gives the version of its package', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    for (const flag of ['--version', '-v']) {
      const { stdout } = await execute(join(folder, 'node_modules/.bin/qualinet'), [flag]);
      expect(stdout).toBe(`${version}\n`);
    }
  });
});
