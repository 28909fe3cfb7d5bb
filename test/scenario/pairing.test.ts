import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { credentialsPath, readCredentials } from '../../src/agent/credentials/credentials.ts';
import { startProgram } from '../../src/demo/child-program.ts';
import type { ResponseOf } from '../../src/protocol/routes.ts';
import { FakeBridge, type FakeCode, managedSecret } from '../support/fake-bridge.ts';
import { type BridgeProcess, runnerEnv, runnerProgram, startBridgeProcess } from '../support/system.ts';
import { suiteFolder, tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

// `qualinet pair` as a process: at a real terminal, through a pipe, and under what happens to processes and networks.

async function fakeBridge(): Promise<FakeBridge> {
  const bridge = await FakeBridge.start();
  onTestFinished(() => bridge.close());
  return bridge;
}

/** A program at a terminal of its own (`script` makes one): what is typed, what is shown. */
function atTerminal(args: readonly string[], env: Record<string, string>) {
  const command = [process.execPath, runnerProgram, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    env: { ...env, TERM: 'xterm', SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let shown = '';
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    shows: (text: string) => until(`the terminal shows "${text}"`, () => shown.includes(text)),
    shown: () => shown,
    type: (keys: string) => void child.stdin.write(keys),
    ended: new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code))),
  };
}

async function pairProcess(args: readonly string[], env: Record<string, string>, input?: string) {
  const child = spawn(process.execPath, [runnerProgram, 'pair', ...args], { env });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stdin.end(input ?? '');
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, said };
}

const managedEnv = {
  QUALINET_ALLOW_MANAGED_PAIR: 'true',
  QUALINET_MANAGED_PAIR_SECRET: managedSecret.reveal(),
};

describe('a code with leading zeros', () => {
  it.each<[string, (url: string) => string[], string | undefined, boolean]>([
    ['as an argument', (url) => ['012345', '--api', url], undefined, false],
    ['after other options', (url) => ['--api', url, '--force', '012345'], undefined, false],
    ['from standard input', (url) => ['-', '--api', url], '012345\n', false],
    ['from standard input without a newline', (url) => ['-', '--api', url], ' 012-345', false],
    ['after --managed', (url) => ['--managed', '012345', '--api', url], undefined, true],
    ['before --managed', (url) => ['012345', '--managed', `--api=${url}`], undefined, true],
  ])('is kept %s', async (_name, args, input, managed) => {
    const bridge = await fakeBridge();
    bridge.codes.set('012345', { claims: ['approved'], managed });
    const env = { ...runnerEnv(await tempFolder()), ...(managed ? managedEnv : {}) };
    const { code, said } = await pairProcess(args(bridge.url), env, input);
    expect(code, said).toBe(0);
    expect(said).not.toContain(managedSecret.reveal());
    expect(bridge.of(managed ? 'redeemManagedCode' : 'redeemCode')[0]?.body).toMatchObject({
      code: '012345',
    });
    expect(JSON.stringify(bridge.received)).not.toContain(managedSecret.reveal());
  });
});

describe('at a terminal', () => {
  it('asks for address and code, tells the story, and says what to type next', async () => {
    const bridge = await fakeBridge();
    const home = await tempFolder();
    bridge.codes.set('000017', { claims: ['pending', 'approved'] });
    const terminal = atTerminal(['pair'], runnerEnv(home));
    await terminal.shows('Address of the bridge');
    terminal.type(`${bridge.url}\r`);
    await terminal.shows('Pairing code (6 digits)');
    terminal.type('000 017\r');
    expect(await terminal.ended, terminal.shown()).toBe(0);
    const steps = [
      'Pairing with',
      'Check word: ',
      'Waiting for an operator',
      'Paired as',
      'Next: qualinet start',
    ];
    const places = steps.map((step) => terminal.shown().indexOf(step));
    expect(
      places.every((place) => place >= 0),
      terminal.shown(),
    ).toBe(true);
    expect([...places].sort((a, b) => a - b)).toEqual(places);
    const secret = (await readCredentials(home))?.keys[0]?.secret.reveal() ?? '-';
    expect(terminal.shown()).not.toContain(secret);
  });

  it.each(['while it asks', 'while it waits'])('ends at Ctrl-C %s, and saves nothing', async (when) => {
    const bridge = await fakeBridge();
    const home = await tempFolder();
    bridge.codes.set('123456', { claims: ['pending'] });
    const isAsking = when === 'while it asks';
    const terminal = atTerminal(
      ['pair', ...(isAsking ? [] : ['123456']), '--api', bridge.url],
      runnerEnv(home),
    );
    await terminal.shows(isAsking ? 'Pairing code' : 'Waiting for an operator');
    terminal.type('\x03');
    expect(await terminal.ended, terminal.shown()).toBe(130);
    expect(terminal.shown()).toContain('nothing was saved');
    expect(await readCredentials(home)).toBeNull();
  });
});

describe('without a terminal', () => {
  it('never asks: it says what is missing', async () => {
    const { code, said } = await pairProcess(['--api', 'http://127.0.0.1:9'], runnerEnv(await tempFolder()));
    expect(code).toBe(64);
    expect(said).toContain('qualinet pair CODE');
  });
});

describe('managed pairing', () => {
  it.each([
    ['nothing', {}],
    ['the secret alone', { QUALINET_MANAGED_PAIR_SECRET: managedSecret.reveal() }],
    ['the permission alone', { QUALINET_ALLOW_MANAGED_PAIR: 'true' }],
    ['a permission that is not "true"', { ...managedEnv, QUALINET_ALLOW_MANAGED_PAIR: 'false' }],
  ])('is refused on a machine that has %s, before anything is sent', async (_name, env) => {
    const bridge = await fakeBridge();
    const args = ['123456', '--managed', '--api', bridge.url];
    const { code, said } = await pairProcess(args, { ...runnerEnv(await tempFolder()), ...env });
    expect(code).toBe(64);
    expect(said).toContain('QUALINET_ALLOW_MANAGED_PAIR=true and QUALINET_MANAGED_PAIR_SECRET');
    expect(said).not.toContain(managedSecret.reveal());
    expect(bridge.received).toEqual([]);
  });
});

describe('a network that is lost while an operator decides', () => {
  it('costs neither the code nor the pairing', async () => {
    const bridge = await fakeBridge();
    const home = await tempFolder();
    const code: FakeCode = { claims: ['pending'] };
    bridge.codes.set('123456', code);
    const lines: string[] = [];
    const program = startProgram(runnerProgram, ['pair', '123456', '--api', bridge.url], {
      env: runnerEnv(home),
      onStderr: (line) => lines.push(line),
    });
    onTestFinished(() => program.stop());
    await bridge.until(() => bridge.of('claimCredentials').length > 0);
    await bridge.close();
    await until('it noticed', () => lines.some((line) => line.includes('asking again')));
    code.claims = ['approved'];
    await bridge.listen(Number(new URL(bridge.url).port));
    expect(await program.ended, program.said()).toBe(0);
    expect(bridge.of('redeemCode')).toHaveLength(1);
    expect(await readCredentials(home)).not.toBeNull();
  });
});

describe('runner.json', () => {
  it('is whole after every kill -9, the old one or the new one', async () => {
    const bridge = await fakeBridge();
    const home = await tempFolder();
    const known = new Set<string>();
    for (let round = 0; round < 8; round += 1) {
      bridge.codes.set('123456', { claims: ['approved'] });
      const before = bridge.of(round % 2 === 0 ? 'claimCredentials' : 'runnerSelf').length;
      const program = startProgram(runnerProgram, ['pair', '123456', '--force', '--api', bridge.url], {
        env: runnerEnv(home),
      });
      // The file is written between the answer to the one and the other.
      await bridge.until(
        () => bridge.of(round % 2 === 0 ? 'claimCredentials' : 'runnerSelf').length > before,
      );
      program.process.kill('SIGKILL');
      await program.ended;
      const credentials = await readCredentials(home);
      if (credentials !== null) known.add(credentials.runnerId);
    }
    expect(known.size).toBeGreaterThan(1);
  });

  it.each<[string, (text: string) => string]>([
    ['cut off', (text) => text.slice(0, text.length / 2)],
    ['empty', () => ''],
    ['with an unknown field', (text) => text.replace('{', '{"surprise":1,')],
  ])('%s is refused by every command that needs it, which say what to type', async (_name, spoil) => {
    const bridge = await fakeBridge();
    const home = await tempFolder();
    bridge.codes.set('123456', { claims: ['approved'] });
    expect(await pairProcess(['123456', '--api', bridge.url], runnerEnv(home))).toMatchObject({ code: 0 });
    const path = credentialsPath(home);
    await writeFile(path, spoil(await readFile(path, 'utf8')));
    for (const command of ['start', 'status', 'unpair']) {
      const program = startProgram(runnerProgram, [command], { env: runnerEnv(home) });
      expect(await program.ended, program.said()).toBe(78);
      expect(program.said()).toContain(path);
      expect(program.said()).toContain('qualinet pair --force');
    }
    bridge.codes.set('123456', { claims: ['approved'] });
    const again = ['123456', '--force', '--api', bridge.url];
    expect(await pairProcess(again, runnerEnv(home))).toMatchObject({ code: 0 });
  });
});

describe('an operator', () => {
  const folder = suiteFolder();

  it('sees the machine with the same check word, and approves or denies it', async () => {
    const bridge: BridgeProcess = await startBridgeProcess(`${folder()}/bridge`);
    onTestFinished(() => bridge.program.stop());
    for (const approve of [true, false]) {
      const home = await tempFolder();
      const lines: string[] = [];
      const code = await bridge.pairingCode({ autoApprove: false });
      const program = startProgram(
        runnerProgram,
        ['pair', code, '--api', bridge.url, '--name', `is-${approve}`],
        {
          env: runnerEnv(home),
          onStderr: (line) => lines.push(line),
        },
      );
      onTestFinished(() => program.stop());
      await until('it waits', () => lines.some((line) => line.startsWith('Waiting')));
      const { runners } = await bridge.operator<ResponseOf<'listRunners'>>('GET', '/v1/runners');
      const pending = runners.find(({ name }) => name === `is-${approve}`);
      expect(pending).toMatchObject({ state: 'pending', host: { platform: process.platform } });
      expect(lines.join('\n')).toContain(`Check word: ${pending?.checkWord}`);
      await bridge.operator('POST', `/v1/runners/${pending?.runnerId}/decision`, { approve });
      expect(await program.ended).toBe(approve ? 0 : 77);
      if (!approve) expect(program.said()).toContain('the operator denied this machine');
    }
  });
});
