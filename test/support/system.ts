import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EventSource } from 'eventsource';
import { type ChildProgram, runToEnd, startProgram } from '../../src/demo/child-program.ts';
import type { RunView, SubmitRequest } from '../../src/protocol/messages.ts';
import type { RunUpdate } from '../../src/protocol/run-result.ts';
import { copyDatabaseTemplate } from './database-template.ts';
import { until } from './until.ts';

const root = join(import.meta.dirname, '../..');
export const runnerProgram = join(root, 'bin/qualinet.js');
export const bridgeProgram = join(root, 'bin/qualinet-bridge.js');
export const adminToken = 'test-operator-token-0123456789';

/** What a program under test gets of this process's environment: enough to run, nothing that configures ours. */
export function programEnv(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'LANG'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(kept), ...more };
}

/** WORKER_SECRET of bridges on shared servers. */
export const workerSecret = 'test-worker-secret-0123456789';

/** A bridge process that serves. */
export interface BridgeProcess {
  url: string;
  program: ChildProgram;
  /** Everything it said on stderr so far, by lines. */
  lines: readonly string[];
  env: Record<string, string>;
  /** One call of the operators' API; the parsed body. Throws with the body when the status is not 200. */
  operator<T>(method: string, path: string, body?: unknown): Promise<T>;
  submit(run: SubmitRequest): Promise<string>;
  read(runId: string): Promise<RunView>;
  /** The run when it is over; throws after `limitMs`. */
  over(runId: string, limitMs: number): Promise<RunView>;
  /** All events of a run from its first to `run_complete`, over SSE. */
  follow(runId: string, onEvent?: (update: RunUpdate) => void): Promise<(RunUpdate & { id: string })[]>;
  pairingCode(more?: object): Promise<string>;
}

/**
 * Starts `qualinet-bridge serve` on its embedded default and a free port, and waits until it answers. The caller stops it. A new
 * folder gets an empty database first: making one takes seconds.
 */
export async function startBridgeProcess(
  dataDir: string,
  more: Readonly<Record<string, string>> = {},
  path = bridgeProgram,
): Promise<BridgeProcess> {
  const database = join(dataDir, 'database');
  if (!existsSync(database)) await copyDatabaseTemplate(database);
  return serving({ QUALINET_DATA_DIR: dataDir, ...more }, path);
}

/** The same as whoever installs it has it: what is not in the folder, it makes itself. */
export async function startFirstBridgeProcess(
  dataDir: string,
  more: Readonly<Record<string, string>> = {},
): Promise<BridgeProcess> {
  return serving({ QUALINET_DATA_DIR: dataDir, ...more });
}

/** The same beside a backend's PostgreSQL and Redis, which any number of bridges may share. */
export async function startSharedBridge(
  servers: { databaseUrl: string; redisUrl: string },
  more: Readonly<Record<string, string>> = {},
  path = bridgeProgram,
): Promise<BridgeProcess> {
  return serving({ ...sharedServersEnv(servers), ...more }, path);
}

/** Copies what the container image has of the bridge, and no more, to `folder`; the path of its program. */
export async function copyBridgeProgram(folder: string): Promise<string> {
  await copyParts(folder, ['dist/bridge', 'bin/qualinet-bridge.js', 'package.json']);
  return join(folder, 'bin/qualinet-bridge.js');
}

/** Copies what an installed runner is made of to `folder`; the path of its program. */
export async function copyRunnerProgram(folder: string): Promise<string> {
  const parts = ['dist/runner', 'bin/qualinet.js', 'package.json', 'node_modules/playwright-core'];
  await copyParts(folder, parts);
  return join(folder, 'bin/qualinet.js');
}

async function copyParts(folder: string, parts: readonly string[]): Promise<void> {
  for (const part of parts) {
    await cp(join(root, part), join(folder, part), { recursive: true, dereference: true });
  }
}

/** Variables of a bridge on shared servers. */
function sharedServersEnv({ databaseUrl, redisUrl }: { databaseUrl: string; redisUrl: string }) {
  return { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, WORKER_SECRET: workerSecret };
}

async function serving(more: Readonly<Record<string, string>>, path = bridgeProgram): Promise<BridgeProcess> {
  const env = programEnv({ PORT: '0', QUALINET_ADMIN_TOKEN: adminToken, ...more });
  const lines: string[] = [];
  const program = startProgram(path, ['serve'], { env, onStderr: (line) => lines.push(line) });
  const url = await announcedUrl(lines, program);

  async function operator<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${adminToken}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }

  const read = (runId: string) => operator<RunView>('GET', `/v1/runs/${runId}`);

  return {
    url,
    program,
    lines,
    env,
    operator,
    submit: async (run) => (await operator<{ runId: string }>('POST', '/v1/runs', run)).runId,
    read,
    over: (runId, limitMs) =>
      until(
        'the run is over',
        async () => {
          const run = await read(runId);
          return run.endedAt === null ? null : run;
        },
        limitMs,
      ),
    follow: (runId, onEvent) => follow(`${url}/v1/runs/${runId}/events`, onEvent),
    pairingCode: async (options = {}) =>
      (await operator<{ code: string }>('POST', '/v1/codes', options)).code,
  };
}

/** Pairs a runner's home with the bridge by a code, through `qualinet pair`. */
export async function pairRunner(
  bridge: BridgeProcess,
  home: string,
  args: readonly string[] = [],
): Promise<void> {
  const code = await bridge.pairingCode({ autoApprove: true });
  await runToEnd(runnerProgram, ['pair', code, '--api', bridge.url, ...args], { env: runnerEnv(home) });
}

/** Environment of a runner process with this home, on the suite's browser, whose flows may reach the sites of tests. */
export function runnerEnv(home: string): Record<string, string> {
  const browser = process.env['QUALINET_TEST_BROWSER'];
  // The suite may be run by root, as in a container.
  const allowed = { QUALINET_ALLOW_ROOT: 'true', QUALINET_ALLOW_HOSTS: '127.0.0.1,localhost,[::1]' };
  return programEnv({
    QUALINET_HOME: home,
    ...allowed,
    ...(browser === undefined ? {} : { QUALINET_BROWSER: browser }),
  });
}

/** Starts `qualinet start` on a paired home. The caller stops it. */
export function startRunnerProcess(home: string, args: readonly string[] = []): ChildProgram {
  return startProgram(runnerProgram, ['start', ...args], { env: runnerEnv(home) });
}

/** Processes that descend from `pid`, itself not counted. Linux only, as the suite is. */
export async function descendants(pid: number): Promise<number[]> {
  const listing = await runTool('ps', ['-e', '-o', 'pid=,ppid=']);
  const parents = listing
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found: number[] = [];
  for (let open = [pid]; open.length > 0; ) {
    open = parents.filter(([, parent]) => open.includes(parent ?? 0)).map(([child]) => child ?? 0);
    found.push(...open);
  }
  return found;
}

async function runTool(command: string, args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(command, [...args])).stdout;
}

async function announcedUrl(lines: readonly string[], program: ChildProgram): Promise<string> {
  return until(
    'the bridge has started',
    () => {
      if (program.process.exitCode !== null)
        throw new Error(`the bridge ended with ${program.process.exitCode}:\n${program.said()}`);
      const line = lines.find((said) => said.includes('"the bridge serves"'));
      return line === undefined ? null : (JSON.parse(line) as { url: string }).url;
    },
    20_000,
  );
}

function follow(url: string, onEvent?: (update: RunUpdate) => void): Promise<(RunUpdate & { id: string })[]> {
  const updates: (RunUpdate & { id: string })[] = [];
  return new Promise((resolve, reject) => {
    const source = new EventSource(url, {
      fetch: (address, init) =>
        fetch(address, { ...init, headers: { ...init.headers, authorization: `Bearer ${adminToken}` } }),
    });
    source.addEventListener('message', (message) => {
      const update = { ...(JSON.parse(message.data as string) as RunUpdate), id: message.lastEventId };
      updates.push(update);
      onEvent?.(update);
      if (update.type !== 'run_complete') return;
      source.close();
      resolve(updates);
    });
    source.addEventListener('error', (error) => {
      if (source.readyState !== source.CLOSED) return;
      reject(new Error(`${url}: ${error.code ?? ''} ${error.message ?? 'closed'}`));
    });
  });
}
