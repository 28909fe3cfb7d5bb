import { cpus, loadavg } from 'node:os';
import { startBridgeBench } from './bridge-bench.ts';
import { sayEngineFigures } from './engine/say-engine-figures.ts';
import { table } from './interleave.ts';
import { sayRecordingsShare } from './recordings-share.ts';
import { measureStartTime } from './start-time.ts';
import { measureTenSteps } from './ten-steps.ts';
import { sayVerdicts } from './verdicts/say-verdicts.ts';

type Say = (text: string) => void;

/** The parts of docs/benchmarks.md by name. */
const parts: Readonly<Record<string, (say: Say) => Promise<void>>> = {
  start: async (say) =>
    say(table('Start of the command line (aim: ratio at most 2)', await measureStartTime())),
  steps: async (say) => {
    const rounds = Number(process.env['QUALINET_BENCH_ROUNDS'] ?? 20);
    const atOnce = await measureTenSteps('/', rounds);
    say(`\n${table('Ten steps on a page that answers at once (aim: ratio at most 1.10)', atOnce)}`);
    const late = await measureTenSteps('/late', rounds);
    say(`\n${table('Ten steps on a page that answers after 150 ms', late)}`);
  },
  recordings: async (say) => {
    const folder = process.env['QUALINET_RECORDINGS'];
    if (folder === undefined) say('\nRecordings: set QUALINET_RECORDINGS to a folder that holds some');
    else sayRecordingsShare(folder, say);
  },
  verdicts: sayVerdicts,
  engine: sayEngineFigures,
  bridge: sayBridgeFigures,
};

/**
 * Prints the figures of docs/benchmarks.md: all of them, or the parts that are named (`npm run bench -- bridge`). Timing
 * decides nothing here: the exit code is 0 when everything ran.
 */
export async function main(): Promise<void> {
  const say: Say = (text) => void process.stdout.write(`${text}\n`);
  say(`Node ${process.version}, ${cpus().length} cores, ${process.env['QUALINET_BROWSER'] ?? ''}\n`);
  const named = process.argv.slice(2);
  for (const name of named.length === 0 ? Object.keys(parts) : named) {
    const part = parts[name];
    if (part === undefined) throw new Error(`no part ${name}; there are ${Object.keys(parts).join(', ')}`);
    await part(say);
  }
}

async function sayBridgeFigures(say: Say): Promise<void> {
  const bench = await startBridgeBench();
  try {
    const busy = (): string => `load ${loadavg()[0]?.toFixed(1)}`;
    // First, on a bridge that has done nothing yet: what a process has once needed it keeps for a while.
    const { rssMb, corePercent } = await bench.measureIdlePolls(10_000, 30);
    say(`\n10000 idle polls (aim: at most 250 MB and 5 % of a core; ${busy()})`);
    say(`  ${rssMb.toFixed(0)} MB, ${corePercent.toFixed(1)} % of a core`);
    const arrival = await bench.measureArrival(200);
    say(`\n${table(`From queue.add to the run's arrival (aim: ratio at most 2; ${busy()})`, arrival)}`);
    const runs = 2_000;
    const drain = await bench.measureDrain(runs, 3);
    say(`\n${table(`${runs} runs that do nothing (${busy()})`, drain)}`);
    const took = drain[1]?.medianMs ?? Number.NaN;
    say(`  ${Math.round((runs / took) * 1_000)} runs a second through one bridge (aim: 1000)`);
    const { publishPerS, bridgePerS } = await bench.measureEvents(64, 10);
    say(`\nEvents in batches of 50, 64 runs at a time (aim: 50000 a second; ${busy()})`);
    say(`  plain PUBLISH, pipelined  ${Math.round(publishPerS)} a second`);
    say(
      `  through the bridge        ${Math.round(bridgePerS)} a second  ratio ${(bridgePerS / publishPerS).toFixed(3)}`,
    );
  } finally {
    await bench.close();
  }
}
