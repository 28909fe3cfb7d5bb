import { spawn } from 'node:child_process';
import { chmod, chown, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chain } from '../support/chain.ts';
import { processExists } from '../support/processes.ts';
import {
  type BridgeProcess,
  copyRunnerProgram,
  descendants,
  runnerEnv,
  startBridgeProcess,
} from '../support/system.ts';
import { suiteFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

// A runner as its owner should have it: not root, with a home of its own, beside a real bridge. Where the suite is run by
// root the runner is the user `nobody`, else the suite's own. The tests follow one another.

const isRoot = process.getuid?.() === 0;
const user = isRoot ? { uid: 65_534, gid: 65_534 } : {};
const secrets = {
  WORKER_SECRET: 'worker-secret-0123456789',
  QUALINET_MANAGED_PAIR_SECRET: 'managed-pair-secret-0123456789-0123456789',
  HTTPS_PROXY: 'http://user:proxy-password@127.0.0.1:9',
  NO_PROXY: '127.0.0.1,localhost',
  GITHUB_TOKEN: 'token-0123456789',
  AWS_SECRET_ACCESS_KEY: 'aws-0123456789',
};

describe('a runner on a machine of somebody else', () => {
  const folder = suiteFolder();
  const lines: string[] = [];
  let bridge: BridgeProcess;
  let url = '';
  // The suite may lie in a folder that nobody else may enter.
  let program = '';
  let runner: ReturnType<typeof start> | null = null;
  let idle: string[] = [];
  const server = createServer((request, response) => {
    if (request.url === '/file') {
      response
        .writeHead(200, { 'content-disposition': 'attachment; filename="left.bin"' })
        .end('x'.repeat(100_000));
    } else if (request.url !== '/hang') {
      response
        .writeHead(200, { 'content-type': 'text/html', 'set-cookie': 'a=1' })
        .end('<h1>Tea</h1><input id="pw">');
    }
  });
  const place = (name: string): string => join(folder(), 'machine', name);
  const home = (): string => join(place('home'), '.qualinet');

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    if (isRoot) await chmod(folder(), 0o755);
    await mkdir(join(folder(), 'machine'));
    program = await copyRunnerProgram(place('program'));
    for (const name of ['home', 'tmp']) {
      await mkdir(place(name), { mode: 0o700 });
      if (isRoot) await chown(place(name), 65_534, 65_534);
    }
    bridge = await startBridgeProcess(join(folder(), 'bridge'));
    const code = await bridge.pairingCode({ autoApprove: true });
    expect(await start(['pair', code, '--api', bridge.url, '--name', 'of a customer']).ended).toBe(0);
    runner = start(['start']);
    await until('it is connected', () => lines.some((line) => line.includes('connected; waiting')), 30_000);
    await browserIsIdle();
    idle = await filesOfMachine();
  });
  afterAll(async () => {
    runner?.process.kill('SIGKILL');
    await runner?.ended;
    await bridge?.program.stop();
    server.closeAllConnections();
    server.close();
  });

  function start(args: readonly string[], env: Record<string, string> = {}) {
    const { QUALINET_ALLOW_ROOT: _allowed, ...given } = runnerEnv(home());
    const child = spawn(process.execPath, [program, ...args], {
      env: { ...given, ...secrets, HOME: place('home'), TMPDIR: place('tmp'), ...env },
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      ...user,
    });
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => lines.push(line));
    }
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    return { process: child, ended };
  }

  async function audit(): Promise<Record<string, unknown>[]> {
    const text = await readFile(join(home(), 'audit.jsonl'), 'utf8');
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Everything that the runner's user has on this machine where programs leave things, but the runner's own books. */
  async function filesOfMachine(): Promise<string[]> {
    const books = /\.qualinet\/(audit|status|flight-record|browsers|runner|lock|spool-reserve)/;
    const found: string[] = [];
    for (const name of ['home', 'tmp']) {
      for (const entry of await readdir(place(name), { recursive: true })) found.push(`${name}/${entry}`);
    }
    const uid = user.uid ?? process.getuid?.();
    for (const name of await readdir('/dev/shm')) {
      const entry = await stat(join('/dev/shm', name)).catch(() => null);
      if (entry !== null && entry.uid === uid) found.push(`/dev/shm/${name}`);
    }
    return found.filter((path) => !books.test(path)).sort();
  }

  /** The context of the last run is closed a moment after its verdict. */
  async function browserIsIdle(): Promise<void> {
    let before = '';
    await until('the files of the browser are settled', async () => {
      const now = JSON.stringify(await filesOfMachine());
      const isSettled = now === before;
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return isSettled;
    });
  }

  it('has its sandbox, and says so in its log and to the bridge', async () => {
    const { runners } = await bridge.operator<{ runners: object[] }>('GET', '/v1/runners');
    expect(JSON.stringify(runners)).toContain('"sandbox":true');
    expect(lines.find((line) => line.includes('browser: '))).toContain('"sandbox":true');
    expect(lines.join('\n')).not.toContain('WITHOUT its sandbox');
  });

  it('gives its browser nothing of its environment that proves anything', async () => {
    const runId = await bridge.submit(
      chain({ id: 'a', type: 'navigate', data: { url } }, { id: 'w', type: 'wait', data: { ms: 800 } }),
    );
    await until('the run acts', async () => (await bridge.read(runId)).status === 'running');
    const pids = await descendants(runner?.process.pid ?? 0);
    const read = await Promise.all(
      pids.map((pid) => readFile(`/proc/${pid}/environ`, 'utf8').catch(() => null)),
    );
    const readable = read.filter((text) => text !== null);
    expect(readable.length).toBeGreaterThan(isRoot ? 2 : 0);
    for (const text of readable) {
      expect(text).not.toMatch(/secret|password|token|QUALINET_|API_BASE_URL|_PROXY|AWS_/i);
    }
    expect((await bridge.over(runId, 20_000)).status).toBe('passed');
  });

  it('leaves nothing on the disk after a run: one that passed, failed, met a download, or was cancelled', async () => {
    const run = async (...nodes: Parameters<typeof chain>): Promise<string> => {
      const runId = await bridge.submit(chain(...nodes));
      return (await bridge.over(runId, 30_000)).status;
    };
    const open = { id: 'open', type: 'navigate', data: { url } };
    expect(
      await run(open, { id: 'type', type: 'type', data: { selector: '#pw', value: 'typed-value-1' } }),
    ).toBe('passed');
    expect(
      await run(open, {
        id: 'no',
        type: 'assertion',
        data: { selector: 'h1', value: 'Coffee', timeoutMs: 200 },
      }),
    ).toBe('failed');
    expect(await run({ id: 'get', type: 'navigate', data: { url: `${url}/file` } })).toBe('failed');
    const hanging = await bridge.submit(
      chain({ id: 'hang', type: 'navigate', data: { url: `${url}/hang` } }),
    );
    await until('it hangs', async () => (await bridge.read(hanging)).status === 'running');
    await bridge.operator('POST', `/v1/runs/${hanging}/cancel`);
    expect((await bridge.over(hanging, 20_000)).status).toBe('cancelled');
    await browserIsIdle();
    const spool = (path: string): boolean => !path.startsWith('home/.qualinet/spool');
    expect((await filesOfMachine()).filter(spool)).toEqual(idle.filter(spool));
    expect(await readdir(join(home(), 'spool')).catch(() => [])).toEqual([]);
  });

  it('has put down the story of each run, and neither what was typed nor any value', async () => {
    const entries = await audit();
    const asked = entries.filter(({ event }) => event === 'run_asked');
    expect(asked).toHaveLength(5);
    const story = (index: number) =>
      entries.filter(({ runId }) => runId === asked[index]?.['runId']).map(({ event }) => event);
    expect(story(1).filter((event) => event !== 'host_reached')).toEqual([
      'run_asked',
      'run_started',
      'run_ended',
    ]);
    expect(story(2)).toEqual(expect.arrayContaining(['picture_leaves', 'run_ended']));
    expect(story(4)).toContain('run_cancelled');
    expect(entries.map(({ event }) => event).slice(0, 3)).toEqual([
      'paired',
      'runner_started',
      'browser_started',
    ]);
    expect(entries[1]).toMatchObject({
      bridge: bridge.url,
      workspace: 'default',
      mode: 'self-hosted',
      policy: null,
    });
    expect(entries[2]).toMatchObject({ sandbox: true });
    expect(asked[1]).toMatchObject({ steps: 2, nodeTypes: ['navigate', 'type'], fence: 1 });
    expect(JSON.stringify(entries)).not.toMatch(/typed-value|Coffee|secret-0123|proxy-password/);
    expect((await stat(join(home(), 'audit.jsonl'))).mode & 0o777).toBe(0o600);
  });

  it('leaves nothing after its browser crashed under a run and it ended in order', async () => {
    const runId = await bridge.submit(chain({ id: 'hang', type: 'navigate', data: { url: `${url}/hang` } }));
    await until('it hangs', async () => (await bridge.read(runId)).status === 'running');
    const before = await descendants(runner?.process.pid ?? 0);
    for (const pid of before) if (processExists(pid)) process.kill(pid, 'SIGKILL');
    await until('another browser is up', async () =>
      (await descendants(runner?.process.pid ?? 0)).some((pid) => !before.includes(pid)),
    );
    await bridge.operator('POST', `/v1/runs/${runId}/cancel`);
    await bridge.over(runId, 30_000);
    runner?.process.kill('SIGTERM');
    expect(await runner?.ended).toBe(0);
    const left = (await filesOfMachine()).filter(
      (path) => path.startsWith('tmp/') || path.startsWith('/dev/shm'),
    );
    expect(left).toEqual([]);
    expect((await filesOfMachine()).filter((path) => !/^home\/\.qualinet(\/spool)?$/.test(path))).toEqual([]);
    expect((await audit()).at(-1)).toMatchObject({ event: 'runner_ended', exitCode: 0 });
  });
});
