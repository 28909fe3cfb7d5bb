import { cpus } from 'node:os';
import { table } from './interleave.ts';
import { measureStartTime } from './start-time.ts';
import { measureTenSteps } from './ten-steps.ts';

/** Prints every figure of docs/benchmarks.md. Timing decides nothing here: the exit code is 0 when everything ran. */
export async function main(): Promise<void> {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  say(`Node ${process.version}, ${cpus().length} cores, ${process.env['QUALINET_BROWSER'] ?? ''}\n`);
  say(table('Start of the command line (aim: ratio at most 2)', await measureStartTime()));
  const rounds = Number(process.env['QUALINET_BENCH_ROUNDS'] ?? 20);
  say(
    `\n${table('Ten steps on a page that answers at once (aim: ratio at most 1.10)', await measureTenSteps('/', rounds))}`,
  );
  say(`\n${table('Ten steps on a page that answers after 150 ms', await measureTenSteps('/late', rounds))}`);
}
