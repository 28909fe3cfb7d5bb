import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** The most memory that a process and all below it held at once, MB of PSS: pages that several share count once. Stops when it has ended. */
export async function peakTreeMemory(pid: number): Promise<number> {
  let peakKb = 0;
  for (;;) {
    const tree = treeOf(pid);
    if (tree.length === 0) return peakKb / 1024;
    peakKb = Math.max(
      peakKb,
      tree.reduce((sum, one) => sum + proportionalKb(one), 0),
    );
    await delay(15);
  }
}

function treeOf(root: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = read(`/proc/${entry}/stat`);
    const [, state = '', parent = ''] = /\) (\S) (\d+)/.exec(stat) ?? [];
    if (state !== '' && state !== 'Z') parents.set(Number(entry), Number(parent));
  }
  const tree = parents.has(root) ? [root] : [];
  for (const one of tree) {
    for (const [pid, parent] of parents) if (parent === one) tree.push(pid);
  }
  return tree;
}

function proportionalKb(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
}

/** Empty for a process that has just ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
