import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../../support/until.ts';
import type { ChaosRunner } from './chaos-runner.ts';
import type { Fleet } from './fleet.ts';

/** Ends the fleet; what it owes, holds or leaves behind after that, one sentence each. */
export async function whatIsLeft(fleet: Fleet): Promise<string[]> {
  const left: string[] = [];
  const note = (problem: string) => (): void => void left.push(problem);
  for (const [index, runner] of fleet.runners.entries()) {
    await emptySpool(runner).catch(async () =>
      left.push(`runner ${index + 1} still owes ${await spoolOf(runner)}`),
    );
  }
  await Promise.all(fleet.runners.map((runner) => runner.stop()));
  for (const [index, runner] of fleet.runners.entries()) {
    const ends = runner.ownEnds.filter((end) => end !== 'SIGKILL');
    if (ends.length > 0)
      left.push(
        `runner ${index + 1} ended by itself with ${ends.join(', ')}:\n${runner.lines.slice(-8).join('\n')}`,
      );
    const profiles = await readdir(runner.tmp);
    if (profiles.length > 0)
      left.push(`runner ${index + 1} left ${profiles.join(', ')} in its temporary folder`);
    const place = join(runner.home, '..');
    await until('its processes are gone', async () => (await processesOf(place)).length === 0, 5_000).catch(
      async () =>
        left.push(
          `runner ${index + 1} left processes: ${(await processesOf(place)).map(({ says }) => says).join('; ')}`,
        ),
    );
  }
  const open = await fleet.openLeases();
  if (open.length > 0) note(`leases are open: ${open.join(', ')}`)();
  await fleet.stop();
  return left;
}

/** Waits until a runner owes nothing. */
export async function emptySpool(runner: ChaosRunner, limitMs = 30_000): Promise<void> {
  await until('the spool is empty', async () => (await spoolOf(runner)).length === 0, limitMs);
}

/** Names in the spool that are owed. */
export async function spoolOf({ home }: ChaosRunner): Promise<string[]> {
  const names = await readdir(join(home, 'spool')).catch(() => []);
  // A folder of a lease is named after it; what else the runner keeps there is its own business.
  return names.filter((name) => /^[0-9a-f]{8}-/.test(name));
}

/** Processes that were started for a place: its path is in their command line or environment (Linux: /proc). */
export async function processesOf(place: string): Promise<{ pid: number; says: string }[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const all = await Promise.all(
    ids.map(async (id) => {
      const [commandLine, environment] = await Promise.all(
        ['cmdline', 'environ'].map((file) => readFile(`/proc/${id}/${file}`, 'utf8').catch(() => '')),
      );
      const isOurs = `${commandLine}${environment}`.includes(place);
      return isOurs
        ? [{ pid: Number(id), says: (commandLine ?? '').replaceAll('\0', ' ').slice(0, 120) }]
        : [];
    }),
  );
  return all.flat();
}
