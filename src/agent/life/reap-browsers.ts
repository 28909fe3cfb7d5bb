import { dirname, join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { ownIdentity } from '../../lib/process-alive.ts';
import { type RunningProcess, runningProcesses } from '../../lib/process-table.ts';
import {
  isOurName,
  type RegisteredBrowser,
  readBrowserRegister,
  removeTempFolders,
} from './browser-register.ts';

/** How long processes that were killed may take to go; a disk that hangs can hold one for longer. */
const goneMs = 5_000;

/**
 * Ends what the last life of this home left running of its browsers, and removes their temporary files. Only processes that
 * are surely those are ended: a number that means another process by now is left alone. The caller holds the home's lock.
 * Gives the folders that could not be removed.
 */
export async function reapBrowsers(
  home: string,
  { clock, log }: { clock: Clock; log: Log },
): Promise<string[]> {
  const register = await readBrowserRegister(home);
  if (register === null) return [];
  const { space } = await ownIdentity();
  const find = async (): Promise<RunningProcess[]> =>
    leftProcesses(register, { running: await runningProcesses(), space, uid: process.getuid?.() ?? null });

  const left = await find();
  // Killing one may let another start a helper in between: until none is found.
  const endsAtMs = clock.monotonicMs() + goneMs;
  for (let rest = left; rest.length > 0 && clock.monotonicMs() < endsAtMs; rest = await find()) {
    for (const { pid } of rest) kill(pid);
    await clock.sleep(20);
  }
  const leftFolders = await removeTempFolders([register.tempFolder, ...register.leftFolders]);
  for (const folder of leftFolders) log.warn(`${folder} of an earlier life could not be removed`);
  if (left.length > 0) {
    log.warn(`ended ${left.length} browser processes that an earlier life of this runner left behind`, {
      processes: left.map(({ pid }) => pid),
    });
  }
  return leftFolders;
}

/**
 * The processes among `running` that belong to browsers of the register: a recorded browser itself with its group, by number,
 * start time, boot and PID namespace; helpers of one that is gone; and a browser that started too late to be recorded, by
 * its profile in a folder whose random name only this register knows.
 */
export function leftProcesses(
  { browsers, tempFolder }: { browsers: readonly RegisteredBrowser[]; tempFolder: string },
  { running, space, uid }: { running: readonly RunningProcess[]; space: string; uid: number | null },
): RunningProcess[] {
  const own = running.filter((process) => process.uid === uid);
  const groups = new Set<number>();
  const left = new Set<RunningProcess>();
  for (const browser of browsers) {
    if (browser.space !== space || browser.space === 'unknown' || browser.startedAt === 'unknown') continue;
    const leader = running.find(({ pid }) => pid === browser.pid);
    // While a group has members, the system gives its number to nobody: if that is somebody else, the group is gone.
    if (leader !== undefined && leader.startedAt !== browser.startedAt) continue;
    if (leader !== undefined && leader.uid === uid) groups.add(browser.pid);
    if (leader === undefined) for (const helper of helpersOf(browser, own)) left.add(helper);
  }
  if (isOurName(tempFolder)) {
    for (const process of own) {
      if (!process.commandLine.includes(`--user-data-dir=${tempFolder}/`)) continue;
      left.add(process);
      if (process.group === process.pid) groups.add(process.pid);
    }
  }
  for (const process of own) if (groups.has(process.group)) left.add(process);
  return [...left];
}

function helpersOf(browser: RegisteredBrowser, own: readonly RunningProcess[]): RunningProcess[] {
  const { program } = browser;
  if (program === null) return [];
  const programs = [program, join(dirname(program), 'chrome_crashpad_handler')];
  return own.filter(
    (process) =>
      process.group === browser.pid &&
      process.session === browser.pid &&
      Number(process.startedAt) >= Number(browser.startedAt) &&
      programs.includes(process.program),
  );
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}
