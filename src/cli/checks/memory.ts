import { readMachine } from '../../agent/life/machine-reading.ts';
import type { BrowserKind } from '../../browser/install/browser-machine.ts';
import { byteText } from '../../lib/bytes.ts';
import { counted } from '../../lib/counted.ts';
import { type Check, failed, ok, warning } from './check.ts';
import type { Scene } from './scene.ts';

/** What runner and browser take for one run, in MiB (peak of all processes, shared pages counted once). Source: measured. */
const mibForOneRun: Record<BrowserKind, number> = { 'headless-shell': 330, chromium: 520 };

export const memory: Check = {
  name: 'memory',
  title: 'Memory',
  needs: [],
  fix: 'Free some, or give it more (docker run --memory 1g, MemoryMax=1G of the service)',
  async run(scene) {
    const { totalBytes, freeBytes, group } = await readMemory(scene);
    // A full Chromium until it is known that there is something smaller.
    const kind = await scene.findBrowser().then(
      (choice) => choice.kind,
      () => 'chromium' as const,
    );
    const perRun = mibForOneRun[kind];
    const runs = Math.floor(freeBytes / 1024 ** 2 / perRun);
    const limit = group === null ? '' : ` (the limit of its ${group})`;
    const text = `${byteText(freeBytes)} free of ${byteText(totalBytes)}${limit}`;
    const rule = `${perRun} MiB for each run`;
    if (totalBytes / 1024 ** 2 < perRun)
      return failed(`${text}: not enough for a single run, ${rule}`, memory.fix);
    if (runs < 1) return warning(`${text}: too little for a run at the moment, ${rule}`, memory.fix);
    return ok(`${text}: enough for ${counted(runs, 'run')} at the same time, ${rule}`);
  },
};

/** What this process may use: of the machine, or of its control group where that is less. */
async function readMemory({
  machine,
}: Scene): Promise<{ totalBytes: number; freeBytes: number; group: string | null }> {
  const [{ group }, text] = await Promise.all([
    readMachine(machine.readText),
    machine.readText('/proc/meminfo'),
  ]);
  // What files occupy in memory is given back when somebody needs it.
  const availableKib = /^MemAvailable:\s+(\d+) kB$/m.exec(text ?? '')?.[1];
  const totalKib = /^MemTotal:\s+(\d+) kB$/m.exec(text ?? '')?.[1];
  const whole = {
    totalBytes: totalKib === undefined ? machine.memory.totalBytes : Number(totalKib) * 1024,
    freeBytes: availableKib === undefined ? machine.memory.freeBytes : Number(availableKib) * 1024,
  };
  const limitBytes = group?.limitBytes ?? null;
  if (group === null || limitBytes === null || limitBytes >= whole.totalBytes)
    return { ...whole, group: null };
  const freeBytes = Math.min(whole.freeBytes, Math.max(0, limitBytes - group.usedBytes));
  return { totalBytes: limitBytes, freeBytes, group: 'control group' };
}
