import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChildProgram, runToEnd, startProgram } from '../../src/demo/child-program.ts';
import { chain } from '../support/chain.ts';
import { type Site, startSite } from '../support/site.ts';
import {
  type BridgeProcess,
  descendants,
  runnerEnv,
  runnerProgram,
  startBridgeProcess,
} from '../support/system.ts';
import { suiteFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const managed = {
  QUALINET_ALLOW_MANAGED_PAIR: 'true',
  QUALINET_MANAGED_PAIR_SECRET: 'managed-pair-secret-0123456789-0123456789',
};

// Two runs of people who must not meet, on one runner, from pairing to an empty disk.

describe('a managed runner beside a real bridge', () => {
  const folder = suiteFolder();
  const lines: string[] = [];
  let site: Site;
  let bridge: BridgeProcess;
  let runner: ChildProgram;
  const temporary = (): string => join(folder(), 'tmp');
  const env = (): Record<string, string> => ({
    ...runnerEnv(join(folder(), 'runner')),
    ...managed,
    TMPDIR: temporary(),
    QUALINET_ALLOW_HOSTS: new URL(site.url).host,
  });

  beforeAll(async () => {
    site = await startSite({
      '/': `<h1 id="state"></h1><script>
        state.textContent = document.cookie + localStorage.length;
        document.cookie = 'seen=1; max-age=9999';
        localStorage.seen = 1;
      </script>`,
    });
    await mkdir(temporary());
    bridge = await startBridgeProcess(join(folder(), 'bridge'), managed);
    const code = await bridge.pairingCode({ managed: true, autoApprove: true });
    await runToEnd(runnerProgram, ['pair', code, '--managed', '--api', bridge.url], { env: env() });
    runner = startProgram(runnerProgram, ['start'], { env: env(), onStderr: (line) => lines.push(line) });
    await until('it waits', () => lines.some((line) => line.includes('connected; waiting')), 30_000);
  });
  afterAll(async () => {
    await runner?.stop();
    await bridge?.program.stop();
    await site?.close();
  });

  /** Browsers of the runner: process id and folder of the profile. */
  async function browsers(): Promise<Map<number, string>> {
    const found = new Map<number, string>();
    for (const pid of await descendants(runner.process.pid ?? 0)) {
      const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
      const profile = command.find((part) => part.startsWith('--user-data-dir='));
      const isHelper = command.some((part) => part.startsWith('--type='));
      if (profile !== undefined && !isHelper) found.set(pid, profile.slice('--user-data-dir='.length));
    }
    return found;
  }

  /** A run that finds nothing of an earlier one, and the browsers that were up while it acted. */
  async function visit(): Promise<Map<number, string>> {
    const before = site.requests.length;
    const runId = await bridge.submit(
      chain(
        { id: 'open', type: 'navigate', data: { url: site.url } },
        { id: 'new', type: 'assertion', data: { selector: '#state', value: '0' } },
        { id: 'stay', type: 'wait', data: { ms: 700 } },
      ),
    );
    await until('it acts', () => site.requests.length > before, 20_000);
    const up = await browsers();
    expect(await bridge.over(runId, 30_000)).toMatchObject({ status: 'passed' });
    return up;
  }

  it('reaches the public network only, unless its own options say otherwise', async () => {
    expect(lines.join('\n')).toContain('network that flows may reach: public');
    const url = 'http://10.0.0.1:8080/';
    const runId = await bridge.submit(chain({ id: 'open', type: 'navigate', data: { url } }));
    const [step] = (await bridge.over(runId, 30_000)).stepsResult ?? [];
    expect(step).toMatchObject({
      errorKind: 'blocked',
      error: expect.stringContaining('it is in a private network; allow it with: --allow-host 10.0.0.1:8080'),
    });
  });

  it('gives each run a browser and a profile that no other run had, and leaves nothing on the disk', async () => {
    const first = await visit();
    await until('the browser of the first is gone', async () => {
      const now = await browsers();
      return [...first.keys()].every((pid) => !now.has(pid));
    });
    const second = await visit();
    expect([first.size, second.size]).toEqual([1, 1]);
    expect([...second.keys()]).not.toEqual([...first.keys()]);
    expect([...second.values()]).not.toEqual([...first.values()]);
    const [profile = ''] = first.values();
    expect(profile.startsWith(temporary())).toBe(true);
    expect(await readdir(temporary())).not.toContain(profile.slice(temporary().length + 1));

    runner.process.kill('SIGTERM');
    expect(await runner.ended).toBe(0);
    expect(await readdir(temporary())).toEqual([]);
    expect(await readdir(join(folder(), 'runner', 'spool'))).toEqual([]);
  });
});
