import { type Check, ok, warning } from './check.ts';
import type { Machine } from './machine.ts';

export const processors: Check = {
  name: 'processors',
  title: 'Processors',
  needs: [],
  fix: 'Give it more (docker run --cpus 2, CPUQuota=200% of the service)',
  async run({ machine }) {
    const quota = await quotaOf(machine);
    const usable = quota === null ? machine.processors : Math.min(quota, machine.processors);
    const text = `${machine.processors}${quota === null || quota >= machine.processors ? '' : `, of which ${Number(quota.toFixed(2))} may be used`}`;
    if (usable < 1)
      return warning(`${text}: pages will load slowly, and steps run into their time-outs`, processors.fix);
    const best = Math.floor(usable);
    return ok(`${text}: --concurrency ${best} for the shortest runs, ${2 * best} for the most runs a minute`);
  },
};

/** Processors that the control group may use, null for no limit. */
async function quotaOf({ readText }: Machine): Promise<number | null> {
  const own = /^0::(\/.*)$/m.exec((await readText('/proc/self/cgroup')) ?? '')?.[1] ?? '/';
  const root = '/sys/fs/cgroup';
  for (const folder of [`${root}${own}`.replace(/\/$/, ''), root]) {
    const [most, period] = ((await readText(`${folder}/cpu.max`)) ?? '').trim().split(' ').map(Number);
    if (most !== undefined && period !== undefined && most > 0 && period > 0) return most / period;
  }
  const [most, period] = await Promise.all(
    ['cpu.cfs_quota_us', 'cpu.cfs_period_us'].map(async (name) =>
      Number(await readText(`${root}/cpu/${name}`)),
    ),
  );
  return most !== undefined && period !== undefined && most > 0 && period > 0 ? most / period : null;
}
