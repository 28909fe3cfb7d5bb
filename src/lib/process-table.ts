import { readdir, readFile, readlink } from 'node:fs/promises';
import { type ProcStat, readProcStat } from './proc-stat.ts';

/** A process of this system as it is seen from here. */
export interface RunningProcess extends ProcStat {
  pid: number;
  /** Whose it is. */
  uid: number;
  /** Path of its program; of a process that may not be looked into, what its command line begins with. */
  program: string;
  /** Its arguments, each followed by a zero character. */
  commandLine: string;
}

/** All processes that run, without those that have ended; none on systems without /proc. */
export async function runningProcesses(): Promise<RunningProcess[]> {
  const names = await readdir('/proc').catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map(readProcess));
  return found.filter((process) => process !== null);
}

/** Path of the program that this process executes, null where it cannot be known. */
export async function programOf(pid: number): Promise<string | null> {
  const path = await readlink(`/proc/${pid}/exe`).catch(() => null);
  // A program that was replaced by an update while it runs.
  return path?.replace(/ \(deleted\)$/, '') ?? null;
}

async function readProcess(pid: number): Promise<RunningProcess | null> {
  const [stat, status, commandLine, program] = await Promise.all([
    readProcStat(pid),
    readFile(`/proc/${pid}/status`, 'utf8').catch(() => null),
    readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
    programOf(pid),
  ]);
  // The owner of /proc/PID itself is root for a process in a sandbox.
  const uid = /^Uid:\t(\d+)/m.exec(status ?? '')?.[1];
  if (stat === null || stat.state === 'Z' || stat.state === 'X' || uid === undefined) return null;
  return { pid, uid: Number(uid), commandLine, program: program ?? firstWord(commandLine), ...stat };
}

// Chromium's helpers write their command line anew, with spaces between the arguments.
function firstWord(commandLine: string): string {
  return /^[^\0 ]*/.exec(commandLine)?.[0] ?? '';
}
