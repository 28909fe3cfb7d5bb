import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  credentialsPath,
  readCredentials,
  saveCredentials,
} from '../../src/agent/credentials/credentials.ts';
import { openStatusFile, readStatusFile } from '../../src/agent/status-file.ts';
import { qualinet } from '../../src/cli/command-table.ts';
import { engineOn } from '../../src/cli/engine-on.ts';
import { runProgram } from '../../src/command-line/run-program.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { EnvironmentError } from '../../src/lib/errors.ts';
import { lockFolder } from '../../src/lib/folder-lock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { problemBody } from '../../src/protocol/problem.ts';
import { FakeBridge, managedSecret, workerSecret } from '../support/fake-bridge.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { testBrowser } from '../support/test-browser.ts';
import { testContext } from '../support/test-context.ts';
import { until } from '../support/until.ts';

async function setUp({
  isPaired = false,
  env = {},
}: {
  isPaired?: boolean;
  env?: Record<string, string>;
} = {}) {
  const bridge = await FakeBridge.start();
  onTestFinished(() => bridge.close());
  const home = await tempFolder();
  if (isPaired) await saveCredentials(home, bridge.credentials());
  const command = (argv: readonly string[], given: Parameters<typeof testContext>[0] = {}) => {
    const surroundings = testContext({
      ...given,
      env: { QUALINET_HOME: home, QUALINET_ALLOW_ROOT: 'true', ...env, ...given.env },
    });
    const ended = runProgram(qualinet, argv, surroundings.context);
    return { ...surroundings, ended };
  };
  return { bridge, home, command };
}

function terminal(text: string): NodeJS.ReadableStream & { isTTY: boolean } {
  return Object.assign(Readable.from([text]), { isTTY: true });
}

describe('qualinet pair', () => {
  it('tells each step, saves the credentials, and says what to type next', async () => {
    const { bridge, home, command } = await setUp();
    bridge.codes.set('012345', { claims: ['pending', 'approved'] });
    const { ended, err, out, listening } = command([
      'pair',
      '012345',
      '--api',
      bridge.url,
      '--labels',
      'gpu,eu',
      '--name',
      '007',
    ]);
    expect(await ended).toBe(0);
    const [redeem] = bridge.of('redeemCode');
    expect(redeem?.body).toMatchObject({ code: '012345', labels: ['gpu', 'eu'], name: '007' });
    for (const text of [
      `Pairing with ${bridge.url}`,
      'Check word: ',
      'Waiting for an operator',
      'Paired as "the runner"',
      credentialsPath(home),
      'qualinet start',
    ]) {
      expect(err()).toContain(text);
    }
    expect(out()).toBe('');
    expect((await stat(credentialsPath(home))).mode & 0o777).toBe(0o600);
    expect(await readFile(credentialsPath(home), 'utf8')).not.toMatch(/redis/i);
    expect(bridge.of('runnerSelf')).toHaveLength(1);
    expect(listening()).toBe(0);
  });

  it('with --json prints one object without anything secret', async () => {
    const { bridge, home, command } = await setUp();
    bridge.codes.set('482913', { claims: ['approved'] });
    const { ended, out } = command(['pair', '482913', '--json'], { env: { API_BASE_URL: bridge.url } });
    expect(await ended).toBe(0);
    expect(JSON.parse(out())).toMatchObject({
      paired: true,
      workspace: 'default',
      file: credentialsPath(home),
    });
    const secret = (await readCredentials(home))?.keys[0]?.secret.reveal();
    expect(secret).toHaveLength(43);
    expect(out()).not.toContain(secret);
  });

  it('takes the code from standard input, or asks for address and code on a terminal', async () => {
    const { bridge, command } = await setUp();
    bridge.codes.set('000123', { claims: ['approved'] });
    const piped = command(['pair', '-', '--api', bridge.url], { input: '000123\n' });
    expect(await piped.ended).toBe(0);
    const other = await setUp();
    other.bridge.codes.set('000123', { claims: ['approved'] });
    const asked = other.command(['pair', '--api', other.bridge.url], { stdin: terminal('000 123\n') });
    expect(await asked.ended).toBe(0);
    expect(asked.err()).toContain('Pairing code (6 digits)');
  });

  it.each([
    [['pair', '12345'], 'has 6 digits'],
    [['pair'], 'a pairing code is needed'],
    [['pair', '123456', '--managed'], 'managed pairing is not allowed'],
  ])('%j is a usage error', async (argv, text) => {
    const { bridge, command } = await setUp();
    const { ended, err } = command([...argv, '--api', bridge.url]);
    expect(await ended).toBe(64);
    expect(err()).toContain(text);
    expect(bridge.received).toEqual([]);
  });

  it('without an address says where to give one', async () => {
    const { command } = await setUp();
    const { ended, err } = command(['pair', '123456']);
    expect(await ended).toBe(64);
    expect(err()).toContain('API_BASE_URL');
  });

  it('refuses a second pairing and names the first; --force replaces it', async () => {
    const { bridge, home, command } = await setUp({ isPaired: true });
    const before = await readCredentials(home);
    bridge.codes.set('123456', { claims: ['approved'] });
    const refused = command(['pair', '123456', '--api', bridge.url]);
    expect(await refused.ended).toBe(78);
    expect(refused.err()).toContain('paired already, as "the runner"');
    expect(bridge.received).toEqual([]);
    const forced = command(['pair', '123456', '--api', bridge.url, '--force']);
    expect(await forced.ended).toBe(0);
    expect((await readCredentials(home))?.runnerId).not.toBe(before?.runnerId);
  });

  it('with a wrong code ends with 77, without a bridge with 69, and saves nothing', async () => {
    const { bridge, home, command } = await setUp();
    const wrong = command(['pair', '123456', '--api', bridge.url]);
    expect(await wrong.ended).toBe(77);
    expect(wrong.err()).toContain('wrong, was used already, or has expired');
    await bridge.close();
    expect(await command(['pair', '123456', '--api', bridge.url]).ended).toBe(69);
    expect(await readCredentials(home)).toBeNull();
  });

  it('proves the managed secret where that is allowed', async () => {
    const { bridge, command } = await setUp({
      env: { QUALINET_ALLOW_MANAGED_PAIR: 'true', QUALINET_MANAGED_PAIR_SECRET: managedSecret.reveal() },
    });
    bridge.codes.set('123456', { claims: ['approved'], managed: true });
    expect(await command(['pair', '123456', '--managed', '--api', bridge.url]).ended).toBe(0);
    expect(bridge.of('redeemManagedCode')).toHaveLength(1);
  });

  it('ends with 130 at Ctrl-C while it waits', async () => {
    const { bridge, home, command } = await setUp();
    bridge.codes.set('123456', { claims: ['pending'] });
    const { ended, signal } = command(['pair', '123456', '--api', bridge.url]);
    await bridge.until(() => bridge.of('claimCredentials').length > 1);
    signal('SIGINT');
    expect(await ended).toBe(130);
    expect(await readCredentials(home)).toBeNull();
  });

  it('does not replace the credentials of a runner that is at work', async () => {
    const { bridge, home, command } = await setUp();
    const lock = await lockFolder(home, 'a runner');
    onTestFinished(() => lock.release());
    bridge.codes.set('123456', { claims: ['approved'] });
    const { ended, err } = command(['pair', '123456', '--api', bridge.url]);
    expect(await ended).toBe(78);
    expect(err()).toContain('in use by process');
    expect(bridge.received).toEqual([]);
  });
});

describe('qualinet start', () => {
  it('without credentials and terminal ends with 78 and the command to type', async () => {
    const { command } = await setUp();
    const { ended, err, listening } = command(['start']);
    expect(await ended).toBe(78);
    expect(err()).toContain('qualinet pair CODE --api');
    expect(listening()).toBe(0);
  });

  it('without a browser ends with 78 before it takes a run', async () => {
    const { bridge, command } = await setUp({ isPaired: true });
    const { ended, err } = command(['start', '--browser', '/no/such/chromium']);
    expect(await ended).toBe(78);
    expect(err()).toContain('/no/such/chromium');
    expect(bridge.received).toEqual([]);
  });

  it('executes one run in a real browser with --once, and tells it as JSON lines', async () => {
    const { bridge, home, command } = await setUp({ isPaired: true });
    const lease = bridge.queueLease({
      name: 'blank',
      flow: {
        nodes: [
          { id: 's', type: 'start' },
          { id: 'open', type: 'navigate', data: { url: 'about:blank' } },
          { id: 'look', type: 'assertion', data: { selector: 'h1', value: 'Hello', timeoutMs: 50 } },
        ],
        edges: [
          { source: 's', target: 'open' },
          { source: 'open', target: 'look' },
        ],
      },
    });
    const { path } = await testBrowser();
    const { ended, err, listening } = command(['start', '--once', '--browser', path]);
    expect(await ended).toBe(0);
    const result = bridge.results.get(lease.leaseId);
    expect(result).toMatchObject({
      status: 'failed',
      stepsResult: [
        { nodeId: 'open', status: 'passed' },
        { nodeId: 'look', status: 'failed' },
      ],
    });
    expect(result?.stepsResult[1]?.screenshotUrl).toContain(`${bridge.url}/public/`);
    const picture = [...bridge.uploads.values()][0]?.bytes;
    expect(picture?.subarray(1, 4).toString()).toBe('PNG');
    const lines = err()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toContainEqual(
      expect.objectContaining({ runId: lease.runId, nodeId: 'look', status: 'failed' }),
    );
    expect(lines).toContainEqual(expect.objectContaining({ runId: lease.runId, kind: 'delivered' }));
    expect(bridge.of('pollLeases')[0]?.body).toMatchObject({
      capabilities: { browser: { kind: 'headless-shell' } },
    });
    expect(listening()).toBe(0);
    await (await lockFolder(home, 'the home')).release();
  });

  it('drains at the first signal and says so; a home has one runner', async () => {
    const { bridge, command } = await setUp({ isPaired: true });
    const { path } = await testBrowser();
    const first = command(['start', '--browser', path]);
    await bridge.until(() => bridge.of('pollLeases').length === 1);
    const second = command(['start', '--browser', path]);
    expect(await second.ended).toBe(78);
    expect(second.err()).toContain('in use by process');
    first.signal('SIGTERM');
    expect(await first.ended).toBe(0);
    expect(first.err()).toContain('finishing the runs under way');
  });

  it('hands its run back at the second signal and ends with 143', async () => {
    const { bridge, command } = await setUp({ isPaired: true });
    const { path } = await testBrowser();
    bridge.queueLease({
      flow: {
        nodes: [
          { id: 's', type: 'start' },
          { id: 'w', type: 'wait', data: { ms: 600_000 } },
        ],
        edges: [{ source: 's', target: 'w' }],
      },
    });
    const { ended, signal, listening } = command(['start', '--browser', path]);
    await bridge.until(() => bridge.of('postEvents').length === 1);
    signal('SIGINT');
    signal('SIGTERM');
    expect(await ended).toBe(143);
    expect(bridge.of('releaseLease')[0]?.body).toMatchObject({ reason: 'shutdown' });
    expect(listening()).toBe(0);
  });

  it('ends with 77 when the bridge ends its credentials', async () => {
    const { bridge, command } = await setUp({ isPaired: true });
    const { path } = await testBrowser();
    bridge.script('pollLeases', { problem: 'credential_revoked' });
    const { ended, err } = command(['start', '--browser', path]);
    expect(await ended).toBe(77);
    expect(err()).toContain('Pair again: qualinet pair');
  });

  it('works unpaired with WORKER_SECRET, and keeps no credentials', async () => {
    const { bridge, home, command } = await setUp({ env: { WORKER_SECRET: workerSecret.reveal() } });
    const { path } = await testBrowser();
    bridge.queueLease();
    const { ended } = command(['start', '--once', '--browser', path], { env: { API_BASE_URL: bridge.url } });
    expect(await ended).toBe(0);
    expect(bridge.results.size).toBe(1);
    expect(await readCredentials(home)).toBeNull();
    const other = await setUp({ env: { WORKER_SECRET: workerSecret.reveal() } });
    expect(await other.command(['start']).ended).toBe(64);
  });

  it('offers to pair on a terminal', async () => {
    const { command } = await setUp();
    const stderr = { write: () => {}, isTTY: true };
    const { ended } = command(['start'], { stdin: terminal('n\n'), stderr });
    expect(await ended).toBe(78);
  });

  it('does not take a browser that cannot start for a verdict about the site', async () => {
    const engine = engineOn({ newRun: () => Promise.reject(new EnvironmentError('it does not start')) });
    const hooks = {
      signal: new AbortController().signal,
      mayAct: Promise.resolve(),
      ensureOurs: () => {},
      sideEffectsMayBegin: () => Promise.resolve(),
      settled: Promise.resolve(),
      onEvent: () => {},
      onDeed: () => {},
      keepScreenshot: async () => ({ problem: 'none' }),
    };
    await expect(engine({ steps: [], variables: {} }, hooks)).rejects.toThrow('it does not start');
  });
});

describe('qualinet status', () => {
  it('says what it knows here first, then what the bridge says', async () => {
    const { home, command } = await setUp({ isPaired: true });
    const { ended, out } = command(['status']);
    expect(await ended).toBe(0);
    expect(out()).toMatch(/paired: .*"the runner".*\nkey: .*\nrunning: {2}no.*\nbridge: .*knows this runner/);
    expect(out()).toContain(credentialsPath(home));
  });

  it('shows a runner that is at work and its runs', async () => {
    const { home, command } = await setUp({ isPaired: true });
    const about = { pid: process.pid, version: '1.2.3', runnerId: 'r' };
    const file = openStatusFile(home, about, { clock: systemClock, log: silentLog });
    const lock = await lockFolder(home, 'the home');
    onTestFinished(() => lock.release());
    file.onEvent({ type: 'connected' });
    file.onEvent({
      type: 'run_started',
      runId: 'run-1',
      name: 'Checkout',
      attempt: 1,
      steps: 3,
      isStraight: true,
    });
    file.onEvent({ type: 'step', runId: 'run-1', event: { type: 'step_start', nodeId: 'pay' } });
    await until('the status is on disk', async () =>
      (await readFile(join(home, 'status.json'), 'utf8').catch(() => '')).includes('"pay"'),
    );
    const { ended, out } = command(['status']);
    expect(await ended).toBe(0);
    expect(out()).toContain('running, process');
    expect(out()).toContain('"Checkout" at node pay');
    const json = command(['status', '--json']);
    expect(await json.ended).toBe(0);
    expect(JSON.parse(json.out())).toMatchObject({
      isPaired: true,
      isRunning: true,
      agent: { state: 'running', runs: [{ nodeId: 'pay' }] },
      bridge: { isReachable: true },
    });
    await file.close();
    const after = command(['status']);
    await after.ended;
    expect(after.out()).toContain('running:  no');
  });

  it('does not take another program that has the number of a killed runner for it', async () => {
    const { home, command } = await setUp({ isPaired: true });
    const about = { pid: process.pid, version: '1.2.3', runnerId: 'r' };
    const file = openStatusFile(home, about, { clock: systemClock, log: silentLog });
    onTestFinished(() => file.close());
    await until('the status is on disk', async () => (await readStatusFile(home)) !== null);
    await writeFile(join(home, 'lock'), `${process.pid} 1\n`);
    const { ended, out } = command(['status']);
    await ended;
    expect(out()).toContain('running:  no');
  });

  it('counts the runs that are not delivered yet, of a runner that is at work and of one that is not', async () => {
    const { home, command } = await setUp({ isPaired: true });
    const about = { pid: process.pid, version: '1.2.3', runnerId: 'r' };
    const file = openStatusFile(home, about, { clock: systemClock, log: silentLog });
    const lock = await lockFolder(home, 'the home');
    onTestFinished(() => lock.release());
    for (const runId of ['run-1', 'run-2', 'run-3']) file.onEvent({ type: 'debt_began', runId });
    file.onEvent({ type: 'debt_ended', runId: 'run-1', end: { kind: 'delivered', status: 'passed' } });
    const why = 'the runner ends';
    file.onEvent({ type: 'debt_ended', runId: 'run-2', end: { kind: 'kept', why, isOnDisk: true } });
    await until('the status is on disk', async () => (await readStatusFile(home))?.runsOwed === 2);
    const working = command(['status']);
    expect(await working.ended).toBe(0);
    expect(working.out()).toContain('owed:     2 runs are not delivered yet; tried until');
    await file.close();
    await mkdir(join(home, 'spool', '0b0c7c0e-3f4e-4f5b-9a43-7c9fa8f1d1c5-1'), { recursive: true });
    const ended = command(['status']);
    await ended.ended;
    expect(ended.out()).toContain(
      'owed:     1 run is not delivered yet; the next start delivers it: qualinet start',
    );
    const json = command(['status', '--json']);
    await json.ended;
    expect(JSON.parse(json.out())).toMatchObject({ isRunning: false, runsOwed: 1 });
  });

  it('passes nothing to the terminal that somebody in between, or a run, wrote to command it', async () => {
    const { home, bridge, command } = await setUp({ isPaired: true });
    const about = { pid: process.pid, version: '1.2.3', runnerId: 'r' };
    const file = openStatusFile(home, about, { clock: systemClock, log: silentLog });
    const lock = await lockFolder(home, 'the home');
    onTestFinished(async () => {
      await file.close();
      await lock.release();
    });
    file.onEvent({
      type: 'run_started',
      runId: 'run-1',
      name: 'Evil\x1b]0;name',
      attempt: 1,
      steps: 3,
      isStraight: true,
    });
    file.onEvent({ type: 'disconnected', error: 'evil\x1b[2Jerror', hint: null, waitMs: 1 });
    await until('the status is on disk', async () =>
      (await readFile(join(home, 'status.json'), 'utf8').catch(() => '')).includes('error'),
    );
    const body = JSON.stringify(problemBody('internal', { detail: 'evil\x1b[2Jdetail' }));
    bridge.script('runnerSelf', { raw: { status: 500, type: 'application/problem+json', body } });
    const { ended, out } = command(['status']);
    await ended;
    expect(out()).toContain('Evil');
    expect(out()).toContain('evil [2Jerror');
    expect(out()).toContain('evil [2Jdetail');
    expect(out()).not.toContain('\x1b');
  });

  it('ends with 78 unpaired, 77 refused, 69 without a bridge', async () => {
    expect(await (await setUp()).command(['status']).ended).toBe(78);
    const { bridge, command } = await setUp({ isPaired: true });
    bridge.script('runnerSelf', { problem: 'credential_revoked' });
    const refused = command(['status']);
    expect(await refused.ended).toBe(77);
    expect(refused.out()).toContain('refuses');
    await bridge.close();
    const alone = command(['status']);
    expect(await alone.ended).toBe(69);
    expect(alone.out()).toContain('paired:');
  });
});

describe('qualinet unpair', () => {
  it('revokes at the bridge, then deletes the file', async () => {
    const { bridge, home, command } = await setUp({ isPaired: true });
    const { ended, out } = command(['unpair', '--json']);
    expect(await ended).toBe(0);
    expect(bridge.of('retireSelf')).toHaveLength(1);
    expect(JSON.parse(out())).toMatchObject({ unpaired: true, isRevoked: true });
    expect(await readCredentials(home)).toBeNull();
    expect(await command(['unpair']).ended).toBe(78);
  });

  it('keeps the file when the bridge cannot be told, unless forced', async () => {
    const { bridge, home, command } = await setUp({ isPaired: true });
    await bridge.close();
    const kept = command(['unpair']);
    expect(await kept.ended).toBe(69);
    expect(kept.err()).toContain('the credentials are kept');
    expect(await readCredentials(home)).not.toBeNull();
    const forced = command(['unpair', '--force']);
    expect(await forced.ended).toBe(0);
    expect(forced.err()).toContain('ask the operators to revoke');
    expect(await readCredentials(home)).toBeNull();
  });

  it('deletes credentials that the bridge has ended already', async () => {
    const { bridge, home, command } = await setUp({ isPaired: true });
    bridge.script('retireSelf', { problem: 'credential_revoked' });
    expect(await command(['unpair']).ended).toBe(0);
    expect(await readCredentials(home)).toBeNull();
  });
});
