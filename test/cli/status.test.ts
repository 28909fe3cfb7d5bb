import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Credentials, saveCredentials } from '../../src/agent/credentials/credentials.ts';
import type { FlightSnapshot, LastEnd } from '../../src/agent/life/flight-snapshot.ts';
import {
  openStatusFile,
  readStatusFile,
  type StatusFile,
  type WorkingRules,
} from '../../src/agent/status-file.ts';
import { qualinet } from '../../src/cli/command-table.ts';
import { runProgram } from '../../src/command-line/run-program.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { lockFolder } from '../../src/lib/folder-lock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { FakeBridge } from '../support/fake-bridge.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { testContext } from '../support/test-context.ts';
import { until } from '../support/until.ts';

async function machine(over: Partial<Credentials> | null = {}) {
  const bridge = await FakeBridge.start();
  onTestFinished(() => bridge.close());
  const home = await tempFolder();
  const credentials = { ...bridge.credentials(), ...over };
  if (over !== null) await saveCredentials(home, credentials);
  const status = (...args: string[]) => {
    const surroundings = testContext({ env: { QUALINET_HOME: home } });
    return { ...surroundings, ended: runProgram(qualinet, ['status', ...args], surroundings.context) };
  };
  return { bridge, home, status, credentials };
}

/** A runner of this process that is at work on the home, as far as its files say. */
async function atWork(home: string, rules: Partial<WorkingRules> = {}): Promise<StatusFile> {
  const lock = await lockFolder(home, 'the home');
  const about = { pid: process.pid, version: '1.2.3', runnerId: 'r', ...rules };
  const file = openStatusFile(home, about, { clock: systemClock, log: silentLog });
  onTestFinished(async () => {
    await file.close();
    await lock.release();
  });
  return file;
}

/** What a runner of this process last wrote about itself, on what seems to be another start of the machine. */
function snapshotOf(before: LastEnd): FlightSnapshot {
  const at = new Date().toISOString();
  return {
    version: '1.2.3',
    pid: process.pid,
    processStart: 'unknown',
    startedAt: at,
    at,
    host: 'other',
    bootId: 'another',
    namespace: 'unknown',
    upMs: 1,
    rssBytes: 1,
    heap: { usedBytes: 1, limitBytes: 1 },
    group: null,
    systemOomKills: null,
    runs: [],
    interrupted: {},
    answeredAt: null,
    longestStandstill: null,
    lastStandstill: null,
    before,
    ended: null,
  };
}

describe('qualinet status', () => {
  it('says at once what is known here, while the bridge does not answer', async () => {
    const sockets = new Set<{ destroy(): void }>();
    const hole = createServer((socket) => void sockets.add(socket));
    await new Promise<void>((resolve) => hole.listen(0, '127.0.0.1', resolve));
    const address = hole.address();
    const port = typeof address === 'object' ? address?.port : null;
    const { status } = await machine({ apiBaseUrl: `http://127.0.0.1:${port}` });
    const { ended, out } = status();
    await until('the local lines are there', () => out().includes('running:  no'));
    expect(out()).toContain('paired:   as "the runner"');
    expect(out()).not.toContain('bridge:');
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => hole.close(resolve));
    expect(await ended).toBe(69);
    expect(out()).toContain('bridge:   cannot reach');
  });

  it('says since when its runner is connected, and in which browser', async () => {
    const { home, status } = await machine();
    const file = await atWork(home);
    file.engineStarted({ browser: { kind: 'headless-shell', version: '156.0', sandbox: false } });
    file.onEvent({ type: 'connected' });
    await until('it is on disk', async () => typeof (await readStatusFile(home))?.connectedAt === 'string');
    const { ended, out } = status('--offline');
    expect(await ended).toBe(0);
    expect(out()).toMatch(/connected since \d{4}-/);
    expect(out()).toContain('browser headless-shell 156.0, sandbox OFF');
    expect(out()).not.toContain('bridge:');
  });

  it('says under which rules its runner works, and where that tells how it is', async () => {
    const { home, status } = await machine();
    const rules = {
      policyPath: '/etc/qualinet/policy.json',
      network: 'lan; besides localhost:3000',
      healthUrl: 'http://127.0.0.1:4871',
    };
    await atWork(home, rules);
    await until('it is on disk', async () => (await readStatusFile(home)) !== null);
    const { ended, out } = status('--offline');
    await ended;
    expect(out()).toContain('  network lan; besides localhost:3000\n');
    expect(out()).toContain('  policy /etc/qualinet/policy.json\n');
    expect(out()).toContain('  health http://127.0.0.1:4871/live, /ready and /metrics\n');
    const json = status('--offline', '--json');
    await json.ended;
    expect(JSON.parse(json.out())).toMatchObject({ agent: rules });
  });

  it('goes by the lock where the runner seems to be of another start of the machine', async () => {
    const { home, status } = await machine();
    await atWork(home);
    const before: LastEnd = {
      kind: 'killed',
      text: 'the process was killed',
      at: '2026-11-24T12:00:00.000Z',
    };
    await writeFile(join(home, 'flight-record.json'), JSON.stringify(snapshotOf(before)));
    await until('it is on disk', async () => (await readStatusFile(home)) !== null);
    const { ended, out } = status('--offline');
    await ended;
    expect(out()).toContain('before:   the process was killed');
    expect(out()).not.toContain('restarted');
  });

  it('says since when it is not, however often it has tried', async () => {
    const { home, status, bridge } = await machine();
    const file = await atWork(home);
    file.onEvent({ type: 'connected' });
    for (const error of ['first', 'second', 'third'])
      file.onEvent({ type: 'disconnected', error, hint: null, waitMs: 1 });
    await until('it is on disk', async () => (await readStatusFile(home))?.lastError?.message === 'third');
    const since = (await readStatusFile(home))?.disconnectedAt;
    const { ended, out } = status('--offline');
    expect(await ended).toBe(69);
    expect(out()).toContain(`disconnected since ${since}`);
    expect(bridge.received).toEqual([]);
    file.onEvent({ type: 'connected' });
    await until('it is on disk', async () => (await readStatusFile(home))?.disconnectedAt === null);
    expect(await status('--offline').ended).toBe(0);
  });

  it('offline, ends with 69 without a runner, 77 with a key that is over, 78 unpaired', async () => {
    const { status, bridge } = await machine();
    expect(await status('--offline').ended).toBe(69);
    const [key] = bridge.credentials().keys;
    if (key === undefined) throw new Error('no key');
    const over = await machine({ keys: [{ ...key, notAfter: '2026-01-01T00:00:00.000Z' }] });
    const refused = over.status('--offline');
    expect(await refused.ended).toBe(77);
    expect(refused.out()).toContain('EXPIRED');
    expect(await (await machine(null)).status('--offline').ended).toBe(78);
  });

  it('of a runner that enrolled by WORKER_SECRET is what that runner says', async () => {
    const { home, status, bridge } = await machine(null);
    const file = await atWork(home);
    file.onEvent({ type: 'connected' });
    await until('it is on disk', async () => typeof (await readStatusFile(home))?.connectedAt === 'string');
    const { ended, out } = status();
    expect(await ended).toBe(0);
    expect(out()).toContain('enrolled by WORKER_SECRET');
    const json = status('--json');
    await json.ended;
    expect(JSON.parse(json.out())).toMatchObject({
      isPaired: false,
      isRunning: true,
      runnerId: 'r',
      bridge: null,
    });
    expect(bridge.received).toEqual([]);
  });

  it('with --json is an object also where it can say nothing', async () => {
    const { status, home } = await machine(null);
    const { ended, out } = status('--json');
    expect(await ended).toBe(78);
    expect(JSON.parse(out())).toMatchObject({
      error: { code: 'not_paired', hint: expect.stringContaining('qualinet pair') },
    });
    await writeFile(join(home, 'runner.json'), 'no JSON', { mode: 0o600 });
    const broken = status('--json');
    expect(await broken.ended).toBe(78);
    expect(JSON.parse(broken.out())).toMatchObject({ error: { code: 'environment' } });
  });

  it('leads to doctor when the bridge cannot be reached', async () => {
    const { status, bridge } = await machine();
    bridge.script('runnerSelf', 'drop');
    const { ended, out } = status();
    expect(await ended).toBe(69);
    expect(out()).toContain('qualinet doctor');
  });
});
