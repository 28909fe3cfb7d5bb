import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startProgram } from '../../src/demo/child-program.ts';
import {
  bridgeProgram,
  copyBridgeProgram,
  pairRunner,
  programEnv,
  runnerEnv,
  runnerProgram,
  startBridgeProcess,
} from '../support/system.ts';
import { tempFolder } from '../support/temp-folder.ts';

async function ending(program: string, args: readonly string[], env: Record<string, string>) {
  const child = startProgram(program, args, { env });
  const code = await child.ended;
  return { code, said: child.said() };
}

async function bridge(more: Record<string, string> = {}) {
  const started = await startBridgeProcess(join(await tempFolder(), 'bridge'), more);
  onTestFinished(() => started.program.stop());
  return started;
}

describe('a bridge', () => {
  it('needs nothing but its bundle, as in its container image', async () => {
    const folder = await tempFolder();
    const program = await copyBridgeProgram(join(folder, 'app'));
    const env = programEnv({ QUALINET_DATA_DIR: join(folder, 'data') });
    const { code, said } = await ending(program, ['migrate'], env);
    expect(said).toContain('is up to date');
    expect(code).toBe(0);
  });
});

describe('a bridge does not start', () => {
  it('on a data folder that another one is using', async () => {
    const first = await bridge();
    const { code, said } = await ending(bridgeProgram, ['serve'], first.env);
    expect(said).toMatch(new RegExp(`in use by process ${first.program.process.pid}`));
    expect(code).toBe(78);
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
  });

  it('on a port that is taken, naming it', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const address = other.address();
    const port = String(typeof address === 'object' ? address?.port : '');
    const env = programEnv({ QUALINET_DATA_DIR: join(await tempFolder(), 'bridge'), PORT: port });
    const { code, said } = await ending(bridgeProgram, ['serve'], env);
    expect(said).toContain(port);
    expect(said).toContain('PORT');
    expect(code).toBe(78);
  });

  it('with a wrong configuration, naming every variable', async () => {
    const env = programEnv({
      QUALINET_DATA_DIR: await tempFolder(),
      PORT: 'many',
      WORKER_SECRET: 'short',
      PUBLIC_URL: 'nowhere',
    });
    const { code, said } = await ending(bridgeProgram, ['serve'], env);
    expect(code).toBe(64);
    for (const name of ['PORT', 'WORKER_SECRET', 'PUBLIC_URL']) expect(said).toContain(name);
  });
});

describe('a runner does not start', () => {
  it('unpaired, and says what to type', async () => {
    const { code, said } = await ending(runnerProgram, ['start'], runnerEnv(await tempFolder()));
    expect(code).toBe(78);
    expect(said).toContain('qualinet pair');
  });

  it('with credentials that hold a Redis URL', async () => {
    const home = await tempFolder();
    await mkdir(home, { recursive: true });
    await writeFile(join(home, 'runner.json'), JSON.stringify({ version: 1, redisUrl: 'redis://x' }), {
      mode: 0o600,
    });
    const { code, said } = await ending(runnerProgram, ['start'], runnerEnv(home));
    expect(code).toBe(78);
    expect(said).toContain('redisUrl');
    expect(said).not.toContain('redis://x');
  });

  it('with a browser that is not there', async () => {
    const home = await tempFolder();
    await pairRunner(await bridge(), home);
    const { code, said } = await ending(runnerProgram, ['start'], {
      ...runnerEnv(home),
      QUALINET_BROWSER: '/no/such/browser',
    });
    expect(code).toBe(78);
    expect(said).toContain('/no/such/browser');
  });

  it('when the operator has revoked it: exit code 77, and pair again is what to type', async () => {
    const started = await bridge();
    const home = await tempFolder();
    await pairRunner(started, home);
    const { runners } = await started.operator<{ runners: { runnerId: string }[] }>('GET', '/v1/runners');
    await started.operator('DELETE', `/v1/runners/${runners[0]?.runnerId}`);
    const { code, said } = await ending(runnerProgram, ['start'], runnerEnv(home));
    expect(code).toBe(77);
    expect(said).toContain('qualinet pair');
  });
});

describe('pairing', () => {
  it.each([
    ['123', 64, /6 digits/],
    ['000000', 77, /wrong, was used already, or has expired/],
  ])('with the code %s ends with %i', async (code, expected, message) => {
    const { url } = await bridge();
    const result = await ending(runnerProgram, ['pair', code, '--api', url], runnerEnv(await tempFolder()));
    expect(result.said).toMatch(message);
    expect(result.code).toBe(expected);
  });

  it('works once for a code', async () => {
    const started = await bridge();
    const code = await started.pairingCode();
    const pair = async () =>
      ending(runnerProgram, ['pair', code, '--api', started.url], runnerEnv(await tempFolder()));
    expect((await pair()).code).toBe(0);
    expect(await pair()).toMatchObject({ code: 77, said: expect.stringContaining('was used already') });
  });

  it('says so when there is no bridge', async () => {
    const result = await ending(
      runnerProgram,
      ['pair', '123456', '--api', 'http://127.0.0.1:9'],
      runnerEnv(await tempFolder()),
    );
    expect(result.code).toBe(69);
    expect(result.said).toContain('127.0.0.1:9');
  });
});
