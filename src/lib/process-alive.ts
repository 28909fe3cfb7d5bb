import { readFile, readlink } from 'node:fs/promises';
import { systemErrorCode } from './errors.ts';
import { readProcStat } from './proc-stat.ts';

/** A process as it can be found again: a pid is used anew after a while, and means something else in another container. */
export interface ProcessIdentity {
  pid: number;
  /** Start time in clock ticks since boot, `unknown` where the system does not tell. */
  startedAt: string;
  /** The PID namespace and the boot it lives in, `unknown` where the system does not tell. */
  space: string;
}

/** This process. */
export function ownIdentity(): Promise<ProcessIdentity> {
  return identityOf(process.pid);
}

/** The process that has this number here at the moment. */
export async function identityOf(pid: number): Promise<ProcessIdentity> {
  const stat = await readProcStat(pid);
  return { pid, startedAt: stat?.startedAt ?? 'unknown', space: await ownSpace() };
}

/**
 * Whether that process still runs; `foreign` when it cannot be seen from here because it belongs to another container.
 * A zombie, ended but not yet collected by its parent, does not run.
 */
export async function stateOf({
  pid,
  startedAt,
  space,
}: ProcessIdentity): Promise<'alive' | 'dead' | 'foreign'> {
  if (!Number.isInteger(pid) || pid <= 0) return 'dead';
  if (space !== 'unknown' && space !== (await ownSpace())) return 'foreign';
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemErrorCode(error) === 'ESRCH') return 'dead';
  }
  const stat = await readProcStat(pid);
  if (stat === null) return 'alive';
  if (stat.state === 'Z' || stat.state === 'X') return 'dead';
  return startedAt === 'unknown' || stat.startedAt === startedAt ? 'alive' : 'dead';
}

let space: Promise<string> | null = null;

function ownSpace(): Promise<string> {
  space ??= Promise.all([
    readlink('/proc/self/ns/pid'),
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
  ]).then(
    ([namespace, boot]) => `${namespace}@${boot.trim()}`.replace(/\s/g, ''),
    () => 'unknown',
  );
  return space;
}
