import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openBrowserRegister, type Register } from '../../../src/agent/life/browser-register.ts';
import { leftProcesses, reapBrowsers } from '../../../src/agent/life/reap-browsers.ts';
import { launchBrowser } from '../../../src/browser/warm-browser.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { identityOf } from '../../../src/lib/process-alive.ts';
import { programOf, type RunningProcess, runningProcesses } from '../../../src/lib/process-table.ts';
import { processExists, processesInGroup } from '../../support/processes.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { testBrowser } from '../../support/test-browser.ts';
import { until } from '../../support/until.ts';

const deps = { clock: systemClock, log: silentLog };
const noFolder = join(tmpdir(), 'qualinet-0000000000000000');

/** A shell that leads a process group with two helpers in it, as a browser does. */
async function groupOfThree(): Promise<ChildProcess & { pid: number }> {
  const leader = spawn('sleep 300 & sleep 300 & wait', { shell: '/bin/sh', detached: true, stdio: 'ignore' });
  const { pid } = leader;
  if (pid === undefined) throw new Error('the shell did not start');
  onTestFinished(() => {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Gone, as most tests want it.
    }
  });
  // A helper is a copy of the shell until it has become what it is for.
  await until('it has its helpers', async () => {
    const helpers = (await runningProcesses()).filter((process) => process.group === pid);
    return helpers.filter(({ commandLine }) => commandLine.startsWith('sleep')).length === 2;
  });
  return Object.assign(leader, { pid });
}

async function homeWith(register: Partial<Register>): Promise<string> {
  const home = await tempFolder();
  const content: Register = { tempFolder: noFolder, browsers: [], leftFolders: [], ...register };
  await writeFile(join(home, 'browsers.json'), JSON.stringify(content), { mode: 0o600 });
  return home;
}

async function registered(pid: number) {
  return { ...(await identityOf(pid)), program: await programOf(pid) };
}

describe('what an earlier life left running', () => {
  it('is ended with its whole group, stopped processes too, and nothing else is', async () => {
    const [left, other] = [await groupOfThree(), await groupOfThree()];
    const home = await homeWith({ browsers: [await registered(left.pid)] });
    process.kill(-left.pid, 'SIGSTOP');
    await reapBrowsers(home, deps);
    expect(await processesInGroup(left.pid)).toEqual([]);
    expect(await processesInGroup(other.pid)).toHaveLength(3);
  });

  it('is left alone where the number belongs to another process by now', async () => {
    const other = await groupOfThree();
    const browser = await registered(other.pid);
    const home = await homeWith({
      browsers: [{ ...browser, startedAt: String(Number(browser.startedAt) - 1) }],
    });
    await reapBrowsers(home, deps);
    expect(await processesInGroup(other.pid)).toHaveLength(3);
  });

  it.each([
    ['another boot or container', { space: 'pid:[1]@other' }],
    ['a system that does not tell', { space: 'unknown' }],
    ['a system that does not tell start times', { startedAt: 'unknown' }],
  ])('is left alone where it was recorded on %s', async (_, over) => {
    const other = await groupOfThree();
    const home = await homeWith({ browsers: [{ ...(await registered(other.pid)), ...over }] });
    await reapBrowsers(home, deps);
    expect(await processesInGroup(other.pid)).toHaveLength(3);
  });

  it('is ended although its leader is gone, where it runs the same program', async () => {
    const left = await groupOfThree();
    const [leader, helper = 0] = await processesInGroup(left.pid);
    expect(leader).toBe(left.pid);
    const browser = { ...(await registered(left.pid)), program: await programOf(helper) };
    const foreign = { ...browser, program: '/usr/lib/other/browser' };
    left.kill('SIGKILL');
    await once(left, 'close');
    await reapBrowsers(await homeWith({ browsers: [foreign] }), deps);
    expect(await processesInGroup(left.pid)).toHaveLength(2);
    await reapBrowsers(await homeWith({ browsers: [browser] }), deps);
    expect(await processesInGroup(left.pid)).toEqual([]);
  });

  it('is never a process of another user, of another session, or older than the browser', () => {
    const browser = { pid: 10, startedAt: '500', space: 's', program: '/b' };
    const helper: RunningProcess = {
      pid: 11,
      group: 10,
      session: 10,
      startedAt: '501',
      state: 'S',
      uid: 1000,
      program: '/b',
      commandLine: '/b --type=zygote',
    };
    const found = (over: Partial<RunningProcess>) =>
      leftProcesses(
        { browsers: [browser], tempFolder: noFolder },
        { running: [{ ...helper, ...over }], space: 's', uid: 1000 },
      ).length;
    expect(found({})).toBe(1);
    expect(found({ uid: 0 })).toBe(0);
    expect(found({ session: 9 })).toBe(0);
    expect(found({ startedAt: '499' })).toBe(0);
    expect(found({ pid: 10, uid: 0, startedAt: '500' })).toBe(0);
  });

  it('is found by its profile where it was killed before the browser could be recorded', () => {
    const folder = '/tmp/qualinet-0123456789abcdef';
    const leader: RunningProcess = {
      pid: 20,
      group: 20,
      session: 20,
      startedAt: '501',
      state: 'S',
      uid: 1000,
      program: '/b',
      commandLine: `/b\0--user-data-dir=${folder}/profile\0`,
    };
    const helper = { ...leader, pid: 21, commandLine: '/b --type=zygote' };
    const running = [leader, helper, { ...leader, pid: 22, group: 22, commandLine: '/b' }];
    const found = (tempFolder: string) =>
      leftProcesses({ browsers: [], tempFolder }, { running, space: 's', uid: 1000 }).map(({ pid }) => pid);
    expect(found(folder)).toEqual([20, 21]);
    expect(found('/tmp')).toEqual([]);
    expect(found('/tmp/qualinet-0123456789abcdee')).toEqual([]);
  });
});

describe('folders that an earlier life left', () => {
  it('are removed with what is in them, and links in them are not followed', async () => {
    const outside = await tempFolder();
    await writeFile(join(outside, 'keep'), '');
    const folder = await ourFolder();
    await mkdir(join(folder, 'profile', 'Default'), { recursive: true });
    await symlink(outside, join(folder, 'profile', 'link'));
    expect(await reapBrowsers(await homeWith({ tempFolder: folder }), deps)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
    expect(await readdir(outside)).toEqual(['keep']);
  });

  it('are left alone when they have another name, or are links', async () => {
    const precious = await tempFolder();
    const link = await ourFolder();
    await rm(link, { recursive: true });
    await symlink(precious, link);
    for (const path of [
      precious,
      `${link}/../${precious.split('/').at(-1)}`,
      'qualinet-0123456789abcdef',
      link,
    ]) {
      await reapBrowsers(await homeWith({ tempFolder: path, leftFolders: [path] }), deps);
    }
    expect(existsSync(precious)).toBe(true);
    expect(existsSync(link)).toBe(true);
  });

  it.each(['', '{', '[]', '{"tempFolder":5}'])(
    'are none where the register is damaged (%j)',
    async (text) => {
      const home = await tempFolder();
      await writeFile(join(home, 'browsers.json'), text, { mode: 0o600 });
      expect(await reapBrowsers(home, deps)).toEqual([]);
    },
  );
});

describe('a register', () => {
  it('names the folder before it is made, and each browser while it runs', async () => {
    const home = await tempFolder();
    const register = await openBrowserRegister(home, { leftFolders: [], log: silentLog });
    expect(existsSync(register.tempFolder)).toBe(false);
    expect(await readRegister(home)).toMatchObject({ tempFolder: register.tempFolder, browsers: [] });
    const choice = await testBrowser();
    const warm = await launchBrowser({ choice, log: silentLog, watcher: register });
    onTestFinished(() => warm.close());
    const [browser] = (await readRegister(home)).browsers;
    expect(browser).toEqual(await registered(warm.pid ?? 0));
    expect(browser?.program).toContain('chrom');
    process.kill(warm.pid ?? 0, 'SIGKILL');
    await until('it is forgotten', async () => (await readRegister(home)).browsers.length === 0);
    await (await warm.newRun()).close();
    expect((await readRegister(home)).browsers).toEqual([await registered(warm.pid ?? 0)]);
    await warm.close();
    expect((await readRegister(home)).browsers).toEqual([]);
    await register.close();
    expect(existsSync(register.tempFolder)).toBe(false);
    expect(await readdir(home)).toEqual([]);
  });

  it('makes its folder again where the system cleaned it away, and refuses one that is not its own', async () => {
    const register = await openBrowserRegister(await tempFolder(), { leftFolders: [], log: silentLog });
    onTestFinished(() => rm(register.tempFolder, { recursive: true, force: true }));
    await register.starting();
    await rm(register.tempFolder, { recursive: true });
    await register.starting();
    await register.starting();
    await rm(register.tempFolder, { recursive: true });
    await symlink(await tempFolder(), register.tempFolder);
    await expect(register.starting()).rejects.toThrow('cannot make the folder');
  });

  it('that cannot be written is told once and stops no browser', async () => {
    const home = await tempFolder();
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (message: string) => void warnings.push(message) };
    await rm(home, { recursive: true });
    const register = await openBrowserRegister(home, { leftFolders: [], log });
    await register.started(process.pid);
    await register.close();
    expect(warnings).toEqual([expect.stringContaining('cannot write')]);
  });
});

describe('the process table', () => {
  it('tells of a process whose it is, its group, its program and its arguments', async () => {
    const { pid } = await groupOfThree();
    const found = (await runningProcesses()).filter(({ group }) => group === pid);
    expect(found).toHaveLength(3);
    expect(found[0]).toMatchObject({
      pid,
      session: pid,
      uid: process.getuid?.(),
      program: await programOf(pid),
      commandLine: expect.stringContaining('sleep 300 & sleep 300'),
    });
    expect(processExists(pid)).toBe(true);
  });
});

async function ourFolder(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'qualinet-test-'));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  const folder = join(parent, 'qualinet-0123456789abcdef');
  await mkdir(folder);
  return folder;
}

async function readRegister(home: string): Promise<Register> {
  return JSON.parse(await readFile(join(home, 'browsers.json'), 'utf8')) as Register;
}
