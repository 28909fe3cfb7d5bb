import { execFile } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { saveCredentials } from '../../src/agent/credentials/credentials.ts';
import { doctorReportSchema } from '../../src/cli/checks/report.ts';
import { startProgram } from '../../src/demo/child-program.ts';
import { FakeBridge } from '../support/fake-bridge.ts';
import {
  type BridgeProcess,
  pairRunner,
  runnerEnv,
  runnerProgram,
  startBridgeProcess,
  startRunnerProcess,
} from '../support/system.ts';
import { suiteFolder, tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

/** One `qualinet` command to its end; lines with the time at which they came. */
async function qualinet(args: readonly string[], env: Record<string, string>) {
  const startedMs = performance.now();
  const out: string[] = [];
  const err: string[] = [];
  let firstLineMs = Number.POSITIVE_INFINITY;
  const program = startProgram(runnerProgram, args, {
    env,
    onStdout(line) {
      firstLineMs = Math.min(firstLineMs, performance.now() - startedMs);
      out.push(line);
    },
    onStderr: (line) => err.push(line),
  });
  onTestFinished(() => program.stop());
  const code = await program.ended;
  return { code, out: out.join('\n'), err: err.join('\n'), firstLineMs };
}

/** A home that is paired with a bridge inside the test. */
async function homeOfFake() {
  const bridge = await FakeBridge.start();
  onTestFinished(() => bridge.close());
  const home = await tempFolder();
  const credentials = bridge.credentials();
  await saveCredentials(home, credentials);
  return { bridge, home, credentials, env: runnerEnv(home) };
}

const report = (text: string) => doctorReportSchema.parse(JSON.parse(text));
const statuses = (text: string) =>
  Object.fromEntries(report(text).checks.map(({ name, status }) => [name, status]));

describe('qualinet doctor', () => {
  let bridge: BridgeProcess;
  const folder = suiteFolder();
  beforeAll(async () => {
    bridge = await startBridgeProcess(join(folder(), 'bridge'));
  });
  afterAll(() => bridge?.program.stop());

  it('looks at a machine that is not paired, and says what to type', async () => {
    const { code, out, err } = await qualinet(['doctor'], runnerEnv(join(await tempFolder(), 'home')));
    expect(err).toBe('');
    expect(out).toMatch(/^qualinet \d/);
    expect(out).toContain('ok    Node');
    expect(out).toMatch(/warn {2}Credentials file .*not paired/);
    expect(out).toContain('-> Get a code from the operators of your bridge, then: qualinet pair CODE --api');
    expect(out).toMatch(/skip {2}Bridge .*nothing names a bridge yet/);
    expect(out).toMatch(/ok {4}A page in it .*shows what was asked for/);
    expect(out).toMatch(/\d+ ok, \d+ warnings?, 0 failed, \d+ skipped \(/);
    expect(code).toBe(0);
  });

  it('finds nothing wrong with one that is paired, beside the runner that is at work', async () => {
    const home = join(await tempFolder(), 'home');
    const env = runnerEnv(home);
    await pairRunner(bridge, home);
    const runner = startRunnerProcess(home);
    onTestFinished(() => runner.stop());
    await until('the runner waits for runs', async () =>
      (await qualinet(['status', '--offline'], env)).code === 0 ? true : null,
    );
    const { code, out } = await qualinet(['doctor', '--json'], env);
    const found = report(out);
    expect(found.checks.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(found).toMatchObject({ isHealthy: true, reportVersion: 1 });
    for (const name of [
      'address',
      'connection',
      'bridge',
      'clock',
      'credentials',
      'version',
      'control',
      'page',
      'fonts',
    ])
      expect([name, statuses(out)[name]]).toEqual([name, 'ok']);
    expect(found.checks.find(({ name }) => name === 'runner')?.detail).toContain(
      `process ${runner.process.pid}`,
    );
    // The suite may run as root, whose browsers have no sandbox.
    expect(statuses(out)['sandbox']).toBe(process.getuid?.() === 0 ? 'warning' : 'ok');
    expect(code).toBe(0);
  });

  it('tells several failures at once, each with what to do, and ends with 1', async () => {
    const { bridge: fake, home, env } = await homeOfFake();
    await fake.close();
    await chmod(home, 0o777);
    const broken = join(home, 'chromium');
    await writeFile(broken, '#!/bin/sh\nexit 3\n', { mode: 0o755 });
    const password = 'hunter2hunter2';
    const wrong = {
      ...env,
      QUALINET_BROWSER: broken,
      HTTP_PROXY: `http://ada:${password}@127.0.0.1:1`,
      NO_PROXY: '127.0.0.1',
    };
    const { code, out } = await qualinet(['doctor', '--json'], wrong);
    expect(code).toBe(1);
    expect(statuses(out)).toMatchObject({
      node: 'ok',
      home: 'failed',
      disk: 'skipped',
      pairing: 'ok',
      proxy: 'ok',
      connection: 'failed',
      bridge: 'skipped',
      credentials: 'skipped',
      browser: 'failed',
      page: 'skipped',
    });
    const found = report(out);
    expect(found.isHealthy).toBe(false);
    expect(found.counts.failed).toBe(3);
    for (const { status, fix } of found.checks)
      if (status === 'failed' || status === 'warning') expect(fix).toBeTruthy();
    const throughProxy = await qualinet(['doctor', '--only', 'proxy'], { ...wrong, NO_PROXY: '' });
    expect(throughProxy.code).toBe(1);
    expect(throughProxy.out).toMatch(
      /FAIL {2}Proxy .*http:\/\/127\.0\.0\.1:1 \(HTTP_PROXY, with user and password\).*nothing listens/,
    );
    expect(out + throughProxy.out + throughProxy.err).not.toContain(password);
  });

  it('warns of the end of this version', async () => {
    const { bridge: fake, credentials, env } = await homeOfFake();
    const { runnerId, name, workspace, mode } = credentials;
    const notice = { minVersion: '99.0.0', from: '2099-01-01T00:00:00.000Z' };
    const life = { generation: 1, notAfter: '2099-01-01T00:00:00.000Z', draining: false };
    fake.script('runnerSelf', { json: { runnerId, name, workspace, mode, labels: [], ...life, notice } });
    const { code, out } = await qualinet(['doctor', '--only', 'version'], env);
    expect(out).toMatch(/warn {2}Version .*99\.0\.0/);
    expect(code).toBe(0);
  });

  it('looks at a bridge that is only named, and refuses a check that there is none of', async () => {
    const env = runnerEnv(join(await tempFolder(), 'home'));
    const named = await qualinet(
      ['doctor', '--only', 'bridge', '--only', 'clock', '--api', bridge.url, '--json'],
      env,
    );
    expect(statuses(named.out)).toEqual({
      address: 'ok',
      proxy: 'ok',
      dns: 'ok',
      connection: 'ok',
      tls: 'ok',
      bridge: 'ok',
      clock: 'ok',
    });
    const wrong = await qualinet(['doctor', '--only', 'tsl'], env);
    expect(wrong.code).toBe(64);
    expect(wrong.err).toContain('--only tls');
  });

  it('ends in order when it is stopped, and leaves no browser', async () => {
    const home = join(await tempFolder(), 'home');
    // A time that nobody else sleeps.
    const seconds = `601.${process.pid}`;
    const slow = join(await tempFolder(), 'chromium-headless-shell');
    await writeFile(
      slow,
      `#!/bin/sh\nif [ "$1" = --version ]; then echo "Chromium 1.2.3"; exit 0; fi\nexec sleep ${seconds}\n`,
      { mode: 0o755 },
    );
    const out: string[] = [];
    const env = { ...runnerEnv(home), QUALINET_BROWSER: slow };
    const program = startProgram(runnerProgram, ['doctor', '--only', 'page'], {
      env,
      onStdout: (line) => out.push(line),
    });
    onTestFinished(() => program.stop());
    await until('the browser was found', () =>
      out.some((line) => line.startsWith('ok    Browser')) ? true : null,
    );
    program.process.kill('SIGINT');
    expect(await program.ended).toBe(130);
    const listing = await promisify(execFile)('ps', ['-e', '-o', 'args=']);
    expect(listing.stdout).not.toContain(seconds);
  });
});
