import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startProgram } from '../../src/demo/child-program.ts';
import { startDemoSite } from '../../src/demo/demo-site.ts';
import { runnerEnv, startBridgeProcess } from '../support/system.ts';

const root = join(import.meta.dirname, '../..');
const execute = promisify(execFile);

let folder: string;
let tarball: string;
/** Where the runner is installed as a package of a project, and where globally. */
let project: string;
let prefix: string;

/** npm as a machine has it that never ran it: no home, no cache, only the registry of this one. */
async function npm(args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await execute('npm', args, { cwd, env: npmEnv });
  return stdout;
}
let npmEnv: NodeJS.ProcessEnv;

const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier'];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qualinet-package-'));
  project = join(folder, 'project');
  prefix = join(folder, 'prefix');
  for (const name of ['home', 'project', 'prefix']) await mkdir(join(folder, name));
  const registry = (await execute('npm', ['config', 'get', 'registry'], { cwd: root })).stdout.trim();
  npmEnv = {
    ...process.env,
    HOME: join(folder, 'home'),
    npm_config_cache: join(folder, 'cache'),
    npm_config_registry: registry,
  };
  const [packed] = JSON.parse(
    await npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder], root),
  ) as [{ filename: string }];
  tarball = join(folder, packed.filename);
  await npm(['install', ...quietly, tarball], project);
  await npm(['install', '--global', '--prefix', prefix, ...quietly, tarball], folder);
}, 180_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** One command of the runner that was installed, to its end. */
async function installed(args: readonly string[], home = join(folder, 'runner')) {
  const lines: string[] = [];
  const program = startProgram(join(project, 'node_modules/.bin/qualinet'), args, {
    env: { ...runnerEnv(home), HOME: join(folder, 'home') },
    onStdout: (line) => lines.push(line),
  });
  return { code: await program.ended, out: lines.join('\n'), said: program.said() };
}

const visit = (url: string) => ({
  nodes: [
    { id: 's', type: 'start' },
    { id: 'open', type: 'navigate', data: { url } },
  ],
  edges: [{ source: 's', target: 'open' }],
});

describe('the packed runner', () => {
  it('installs into an empty folder as at most 4 packages and 25 MiB', async () => {
    const lock = JSON.parse(await readFile(join(project, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { hasInstallScript?: boolean }>;
    };
    const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
    expect(packages.length).toBeLessThanOrEqual(4);
    expect(packages.filter(([, { hasInstallScript }]) => hasInstallScript === true)).toEqual([]);
    const sizes = await Promise.all(
      (await filesBelow(join(project, 'node_modules'))).map(async (file) => (await stat(file)).size),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(25 * 1024 * 1024);
  });

  it('holds no Redis, database or storage code and nothing of the bridge', async () => {
    const own = await filesBelow(join(project, 'node_modules/@qualitas-id/qualinet'));
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
    await writeFile(join(folder, 'flow.json'), JSON.stringify(visit(site.url)));
    const { code, out, said } = await installed(['run', join(folder, 'flow.json'), '--json']);
    expect(code, said).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ status: 'passed' });
    await site.close();
  });

  it('pairs with a bridge, takes one run from it, executes it and ends', async () => {
    const site = await startDemoSite();
    const bridge = await startBridgeProcess(join(folder, 'bridge'));
    try {
      const code = await bridge.pairingCode({ autoApprove: true });
      const paired = await installed(['pair', code, '--api', bridge.url, '--name', '007', '--json']);
      expect(paired.code, paired.said).toBe(0);
      expect(JSON.parse(paired.out)).toMatchObject({ paired: true, name: '007', apiBaseUrl: bridge.url });
      const runId = await bridge.submit(visit(site.url));
      const started = await installed(['start', '--once']);
      expect(started.code, started.said).toBe(0);
      expect(await bridge.read(runId)).toMatchObject({ status: 'passed' });
      const status = await installed(['status', '--json']);
      expect(status.code, status.said).toBe(0);
      expect(JSON.parse(status.out)).toMatchObject({ isPaired: true, runsOwed: 0, isRunning: false });
    } finally {
      await bridge.program.stop();
      await site.close();
    }
  });

  it('looks over its machine with doctor, before and after it is paired', async () => {
    const bridge = await startBridgeProcess(join(folder, 'doctor-bridge'));
    try {
      const home = join(folder, 'doctor');
      const before = await installed(['doctor', '--json'], home);
      expect([0, 1], before.said).toContain(before.code);
      expect(JSON.parse(before.out)).toBeTypeOf('object');
      const code = await bridge.pairingCode({ autoApprove: true });
      const paired = await installed(['pair', code, '--api', bridge.url], home);
      expect(paired.code, paired.said).toBe(0);
      const after = await installed(['doctor', '--json'], home);
      expect([0, 1], after.said).toContain(after.code);
      expect(JSON.stringify(JSON.parse(after.out))).toContain('chromium');
    } finally {
      await bridge.program.stop();
    }
  });

  it.each([['--version'], ['-v']])(
    'gives the version of its package for %s, however it was installed',
    async (flag) => {
      const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
        version: string;
      };
      for (const program of [join(project, 'node_modules/.bin/qualinet'), join(prefix, 'bin/qualinet')]) {
        const { stdout } = await execute(program, [flag]);
        expect(stdout).toBe(`${version}\n`);
      }
    },
  );

  it('works without being installed, through npx', async () => {
    const empty = join(folder, 'empty');
    await mkdir(empty);
    const { stdout } = await execute(
      'npx',
      ['--yes', ...quietly, `--package=${tarball}`, '--', 'qualinet', 'help', 'exit-codes'],
      { cwd: empty, env: npmEnv },
    );
    expect(stdout).toContain('78   not paired');
    expect(await readdir(empty)).toEqual([]);
  });

  it('refuses a Node that is too old with one sentence', async () => {
    const guard = join(prefix, 'lib/node_modules/@qualitas-id/qualinet/bin/qualinet.js');
    const pretend = `data:text/javascript,${encodeURIComponent(
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.18.3' } });",
    )}`;
    const refused = await execute(process.execPath, ['--import', pretend, guard, 'start']).catch(
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
    expect(refused).toMatchObject({ code: 78, stdout: '' });
    expect(refused.stderr).toMatch(/^qualinet needs Node\.js 20\.19 or newer; this is v[\d.]+\.\n$/);
  });
});
