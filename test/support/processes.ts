import { readdir, readFile } from 'node:fs/promises';

/** True while there is a process with this id, also one that has ended and that its parent has not collected yet. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Ids of the processes in the process group `group` (Linux: from /proc), zombies left out. */
export async function processesInGroup(group: number): Promise<number[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(
    ids.map(async (id) => ({ id, stat: await readFile(`/proc/${id}/stat`, 'utf8').catch(() => '') })),
  );
  return stats
    .filter(({ stat }) => {
      const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return state !== 'Z' && Number(pgrp) === group;
    })
    .map(({ id }) => Number(id));
}
