import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../../support/until.ts';
import type { ChaosRunner } from './chaos-runner.ts';
import type { Fleet } from './fleet.ts';
import { processesOf } from './processes-of.ts';

/** Ends runners and bridge; what they owe, hold or leave behind after that, one sentence each. */
export async function whatIsLeft({ runners, bridge, stores }: Fleet): Promise<string[]> {
  const left: string[] = [];
  for (const [index, runner] of runners.entries()) {
    await runner.connected().catch(() => left.push(`runner ${index + 1} does not come back to its bridge`));
    await emptySpool(runner).catch(async () =>
      left.push(`runner ${index + 1} still owes ${(await spoolOf(runner)).join(', ')}`),
    );
  }
  await Promise.all(runners.map((runner) => runner.stop()));
  for (const [index, runner] of runners.entries()) {
    left.push(...(await leftBy(runner)).map((problem) => `runner ${index + 1} ${problem}`));
  }
  await bridge.stop();
  const open = await stores.openLeases();
  if (open.length > 0) left.push(`leases are open: ${open.join(', ')}`);
  return left;
}

async function leftBy(runner: ChaosRunner): Promise<string[]> {
  const left: string[] = [];
  const ends = runner.ownEnds.filter((end) => end !== 'SIGKILL');
  if (ends.length > 0) {
    left.push(`ended by itself with ${ends.join(', ')}:\n${runner.lines.slice(-12).join('\n')}`);
  }
  const { place } = runner;
  const gone = async (): Promise<boolean> => (await processesOf(place)).length === 0;
  await until('its processes are gone', gone, 5_000).catch(async () => {
    left.push(`left processes: ${(await processesOf(place)).map(({ says }) => says).join('; ')}`);
  });
  const files = await readdir(runner.tmp);
  if (files.length > 0) left.push(`left ${files.join(', ')} in its temporary folder`);
  return left;
}

/** Waits until a runner owes nothing. */
export async function emptySpool(runner: ChaosRunner, limitMs = 30_000): Promise<void> {
  await until('the spool is empty', async () => (await spoolOf(runner)).length === 0, limitMs);
}

/** Leases of which something is owed. What else the runner keeps in its spool is its own business. */
async function spoolOf({ home }: ChaosRunner): Promise<string[]> {
  const names = await readdir(join(home, 'spool')).catch(() => []);
  return names.filter((name) => /^[0-9a-f]{8}-/.test(name));
}
