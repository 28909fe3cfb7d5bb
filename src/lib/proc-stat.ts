import { readFile } from 'node:fs/promises';

/** What Linux tells of a process in /proc/PID/stat. */
export interface ProcStat {
  /** `Z` and `X` are processes that have ended and are not collected yet. */
  state: string;
  group: number;
  session: number;
  /** Clock ticks since boot. */
  startedAt: string;
}

/** Null when there is no such process, and on systems without /proc. */
export async function readProcStat(pid: number): Promise<ProcStat | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return null;
  // The name before may hold spaces and brackets; after it the first field is the state, the twentieth the start time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    state: fields[0] ?? '',
    group: Number(fields[2]),
    session: Number(fields[3]),
    startedAt: fields[19] ?? 'unknown',
  };
}
