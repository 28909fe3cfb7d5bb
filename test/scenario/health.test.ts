import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startProgram } from '../../src/demo/child-program.ts';
import { chain } from '../support/chain.ts';
import { parseExposition } from '../support/exposition.ts';
import { notifySocket } from '../support/notify-socket.ts';
import { pairRunner, runnerEnv, runnerProgram, startBridgeProcess } from '../support/system.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

/** A bridge, and the home of a runner that is paired with it. */
async function paired() {
  const folder = await tempFolder();
  const bridge = await startBridgeProcess(join(folder, 'bridge'));
  onTestFinished(() => bridge.program.stop());
  const home = join(folder, 'runner');
  await pairRunner(bridge, home);
  return { folder, bridge, home };
}

async function runner(more: Readonly<Record<string, string>> = {}, args: readonly string[] = []) {
  const { folder, bridge, home } = await paired();
  const lines: string[] = [];
  const program = startProgram(runnerProgram, ['start', '--health-listen', '0', ...args], {
    env: { ...runnerEnv(home), ...more },
    onStderr: (line) => lines.push(line),
  });
  onTestFinished(() => program.stop());
  const url = await until('it says where it listens', () => {
    if (program.process.exitCode !== null) throw new Error(program.said());
    return /health: (http:\/\/127\.0\.0\.1:\d+)\/live/.exec(lines.join('\n'))?.[1] ?? null;
  });
  const ask = async (path: string) => {
    const response = await fetch(url + path);
    return { status: response.status, text: await response.text() };
  };
  return { bridge, program, ask, folder };
}

describe('a runner that is watched', () => {
  it('tells systemd when it is up, that it lives, what it does, and when it ends', async () => {
    const folder = await tempFolder();
    const { env, heard } = await notifySocket(folder);
    const { program } = await runner({ ...env, WATCHDOG_USEC: '900000' });
    await until('it is up and waits for runs', () => heard.includes('STATUS=waiting for runs'));
    expect(heard.indexOf('READY=1')).toBeGreaterThan(-1);
    expect(heard.indexOf('READY=1')).toBeLessThan(heard.indexOf('STATUS=waiting for runs'));
    const before = heard.filter((said) => said === 'WATCHDOG=1').length;
    await until(
      'it gives signs of life',
      () => heard.filter((said) => said === 'WATCHDOG=1').length > before + 3,
    );
    program.process.kill('SIGTERM');
    expect(await program.ended).toBe(0);
    await until('it says that it ends', () => heard.includes('STOPPING=1'));
    expect(heard.filter((said) => said === 'READY=1')).toHaveLength(1);
  });

  it('is live and ready, counts its runs, and is not ready any more without its bridge', async () => {
    const { ask, bridge } = await runner();
    await until('it is ready', async () => (await ask('/ready')).status === 200);
    expect(await ask('/ready')).toEqual({ status: 200, text: 'ready\n' });
    const runId = await bridge.submit(
      chain({ id: 'open', type: 'navigate', data: { url: 'http://127.0.0.1:1/' } }),
    );
    expect((await bridge.over(runId, 20_000)).status).toBe('failed');
    const scrape = await until('the run is counted', async () => {
      const { status, text } = await ask('/metrics');
      expect(status).toBe(200);
      const read = parseExposition(text);
      return read.value('qualinet_runner_runs_total', { end: 'failed' }) === 1 ? read : null;
    });
    expect(scrape.value('qualinet_runner_steps_total', { status: 'failed' })).toBe(1);
    expect(scrape.value('qualinet_runner_polls_total', { outcome: 'answered' })).toBeGreaterThan(0);
    expect(scrape.value('qualinet_runner_ready')).toBe(1);
    expect(scrape.value('qualinet_runner_process_resident_bytes')).toBeGreaterThan(1e7);
    for (const { name } of scrape.samples) expect(name).toMatch(/^qualinet_runner_/);

    await bridge.program.stop();
    const away = await until('it is not ready', async () => {
      const answer = await ask('/ready');
      return answer.status === 503 ? answer : null;
    });
    expect(away.text).toContain('bridge: ');
    expect(await ask('/live')).toEqual({ status: 200, text: 'live\n' });
  });

  it('does not start on a port that is taken, and names the flag', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const address = other.address();
    const port = String(typeof address === 'object' ? address?.port : '');
    const { home } = await paired();
    const program = startProgram(runnerProgram, ['start', '--health-listen', port], { env: runnerEnv(home) });
    expect(await program.ended).toBe(78);
    expect(program.said()).toContain('--health-listen');
  });
});
