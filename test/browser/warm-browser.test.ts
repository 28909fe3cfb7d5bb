import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { launchBrowser, type WarmBrowser } from '../../src/browser/warm-browser.ts';
import { EnvironmentError } from '../../src/lib/errors.ts';
import { type Log, silentLog } from '../../src/lib/log.ts';
import { processExists, processesInGroup } from '../support/processes.ts';
import { startSite } from '../support/site.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { testBrowser } from '../support/test-browser.ts';
import { until } from '../support/until.ts';

async function warmBrowser(given: Partial<Parameters<typeof launchBrowser>[0]> = {}): Promise<WarmBrowser> {
  const warm = await launchBrowser({ choice: await testBrowser(), log: silentLog, ...given });
  onTestFinished(() => warm.close());
  return warm;
}

function pidOf({ pid }: WarmBrowser): number {
  if (pid === null) throw new Error('the browser has no pid');
  return pid;
}

describe('a warm browser', () => {
  it('gives every run a context of its own and drops it after', async () => {
    const site = await startSite({ '/': '<h1>Hi</h1>' });
    onTestFinished(() => site.close());
    const warm = await warmBrowser();
    const first = await warm.newRun();
    await first.context.addCookies([{ name: 'a', value: '1', url: site.url }]);
    const second = await warm.newRun();
    expect(await second.context.cookies(site.url)).toEqual([]);
    expect(second.context).not.toBe(first.context);
    await first.close();
    await second.close();
    await warm.settled();
    expect(first.page.isClosed()).toBe(true);
    // The spare one.
    expect(second.context.browser()?.contexts()).toHaveLength(1);
  });

  it('keeps one page ready that nobody has used, and gives it to the next run', async () => {
    const warm = await warmBrowser();
    const first = await warm.newRun();
    const browser = first.context.browser();
    await first.close();
    await warm.settled();
    const [spare, ...others] = browser?.contexts() ?? [];
    expect(others).toEqual([]);
    const second = await warm.newRun();
    expect(second.context).toBe(spare);
    expect(second.page.url()).toBe('about:blank');
    expect(first.context).not.toBe(spare);
    await second.close();
  });

  it('is replaced when it was killed, and no process of the old one stays', async () => {
    const warm = await warmBrowser();
    const pid = pidOf(warm);
    process.kill(pid, 'SIGKILL');
    await until('the browser is known to be dead', () => !warm.isUsable());
    const run = await warm.newRun();
    await run.page.setContent('<h1>Alive</h1>');
    expect(pidOf(warm)).not.toBe(pid);
    expect(warm.isUsable()).toBe(true);
    await run.close();
    await until('the old processes are gone', async () => (await processesInGroup(pid)).length === 0);
  });

  it('is probed beside its runs: no browser is used up, and a run finds its spare page', async () => {
    const warm = await warmBrowser({ runsPerBrowser: 1 });
    const pid = pidOf(warm);
    for (let times = 0; times < 3; times += 1) {
      expect(await warm.probe()).toMatchObject({ isColorRight: true });
    }
    expect(pidOf(warm)).toBe(pid);
    const run = await warm.newRun();
    const browser = run.context.browser();
    expect(await warm.probe()).toMatchObject({ isColorRight: true });
    expect(pidOf(warm)).toBe(pid);
    await run.page.setContent('<h1>Alive</h1>');
    expect(browser?.contexts()).toEqual([run.context]);
    await run.close();
    await warm.settled();
    expect(browser?.isConnected()).toBe(false);
    expect(pidOf(warm)).not.toBe(pid);
  });

  it('is replaced for a probe when it was killed, and refuses one when it is closed', async () => {
    const warm = await warmBrowser();
    process.kill(pidOf(warm), 'SIGKILL');
    await until('the browser is known to be dead', () => !warm.isUsable());
    expect(await warm.probe()).toMatchObject({ isColorRight: true });
    await warm.close();
    await expect(warm.probe()).rejects.toThrow('the browser was closed');
  });

  it('is replaced once when many runs find it dead at the same time', async () => {
    const warm = await warmBrowser();
    process.kill(pidOf(warm), 'SIGKILL');
    await until('the browser is known to be dead', () => !warm.isUsable());
    const runs = await Promise.all([warm.newRun(), warm.newRun(), warm.newRun()]);
    expect(new Set(runs.map(({ context }) => context.browser())).size).toBe(1);
    await Promise.all(runs.map((run) => run.close()));
  });

  it('is replaced after its number of runs, and the old one ends with its last run', async () => {
    const warm = await warmBrowser({ runsPerBrowser: 2 });
    const pid = pidOf(warm);
    const first = await warm.newRun();
    const second = await warm.newRun();
    const third = await warm.newRun();
    const next = pidOf(warm);
    expect(next).not.toBe(pid);
    await third.close();
    await second.close();
    expect(processExists(pid)).toBe(true);
    await first.page.setContent('<h1>Still there</h1>');
    await first.close();
    await until('the old browser is gone', () => !processExists(pid));
    expect(processExists(next)).toBe(true);
  });

  it('ends when it is closed while pages are being opened, and whoever waits for one hears of it', async () => {
    for (let round = 0; round < 8; round += 1) {
      const warm = await warmBrowser();
      const opening = Promise.allSettled([warm.newRun(), warm.newRun(), warm.newRun()]);
      // Somewhere in the middle of opening: Playwright answers some of these calls never once the browser has gone.
      for (let turn = 0; turn < round * 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      await warm.close();
      await opening;
    }
  });

  it('leaves no process and no profile behind when it is closed, with runs still open', async () => {
    // A folder of its own: other test files start browsers at the same time.
    const outer = process.env['TMPDIR'];
    const own = await tempFolder();
    process.env['TMPDIR'] = own;
    onTestFinished(() => {
      if (outer === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = outer;
    });
    const warm = await warmBrowser();
    const pid = pidOf(warm);
    await warm.newRun();
    await warm.newRun();
    await warm.close();
    expect(warm.isUsable()).toBe(false);
    expect(await processesInGroup(pid)).toEqual([]);
    await until('its profile is gone', async () => (await readdir(own)).length === 0);
    await expect(warm.newRun()).rejects.toThrow('closed');
  });

  it('is killed when it does not end by itself', async () => {
    const warnings: string[] = [];
    const log: Log = { ...silentLog, warn: (message) => warnings.push(message) };
    const warm = await warmBrowser({ log });
    const pid = pidOf(warm);
    await warm.settled();
    process.kill(pid, 'SIGSTOP');
    await warm.close();
    await until('it is gone', async () => (await processesInGroup(pid)).length === 0);
    expect(warnings).toEqual([expect.stringContaining('did not end')]);
  });
});

describe('what a browser is given', () => {
  it('is not the environment of the runner, with its secrets', async () => {
    const warm = await warmBrowser({
      env: {
        PATH: '/usr/bin:/bin',
        HOME: await tempFolder(),
        LANG: 'C.UTF-8',
        WORKER_SECRET: 'hunter2',
        QUALINET_HOME: '/q',
        API_BASE_URL: 'http://a.test',
        NODE_OPTIONS: '',
      },
    });
    const environment = await readFile(`/proc/${pidOf(warm)}/environ`, 'utf8');
    expect(environment).toContain('LANG=C.UTF-8');
    expect(environment).not.toMatch(/WORKER_SECRET|hunter2|QUALINET|API_BASE_URL|NODE_OPTIONS/);
  });

  it('holds what this very browser needs besides', async () => {
    const choice = { ...(await testBrowser()), env: { FONTCONFIG_PATH: '/tmp/fonts' } };
    const warm = await warmBrowser({ choice, env: {} });
    const environment = await readFile(`/proc/${pidOf(warm)}/environ`, 'utf8');
    expect(environment).toContain('FONTCONFIG_PATH=/tmp/fonts');
  });
});

describe('a browser that does not start', () => {
  const launched = (path: string) =>
    launchBrowser({
      choice: { path, kind: 'headless-shell', source: 'environment', why: '' },
      log: silentLog,
    }).catch((error: unknown) => error);

  it('is an error of this machine that says why and what to do', async () => {
    const folder = await tempFolder();
    const broken = join(folder, 'broken');
    await writeFile(broken, '#!/bin/sh\necho "broken: cannot find the thing" >&2\nexit 3\n');
    await chmod(broken, 0o755);
    const error = await launched(broken);
    expect(error).toBeInstanceOf(EnvironmentError);
    expect(error).toMatchObject({
      message: `the browser ${broken} does not start: it ended at once with exit code 3: broken: cannot find the thing`,
      hint: expect.stringContaining('QUALINET_BROWSER'),
    });
    const missing = await launched(join(folder, 'missing'));
    expect(missing).toBeInstanceOf(EnvironmentError);
    expect(String(missing)).toContain("doesn't exist");
  });

  it('says so where a sandbox is required and this system has none to give', async () => {
    const warm = launchBrowser({ choice: await testBrowser(), log: silentLog, sandbox: 'required' });
    if (process.getuid?.() === 0) {
      await expect(warm).rejects.toMatchObject({
        message: expect.stringContaining('cannot have its sandbox'),
      });
    } else {
      const opened = await warm;
      onTestFinished(() => opened.close());
      expect(opened.sandboxed).toBe(true);
    }
  });
});
