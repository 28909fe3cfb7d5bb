import { readdir } from 'node:fs/promises';
import { spoolRoot } from './spool-layout.ts';

/** Runs that a runner which is not running any more has left in the spool of `home`. */
export async function countOwed(home: string): Promise<number> {
  return (await readdir(spoolRoot(home)).catch(() => [])).length;
}
