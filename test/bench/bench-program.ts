import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A program of the benchmark that runs beside it, built into the same folder. */
export interface BenchProgram {
  readonly pid: number;
  /** Closes its stdin, which ends it. */
  end(): Promise<void>;
}

/** Starts `dist/bench/<name>.js` and gives it its order, the first line of its stdin; resolves when it says `ready`. */
export async function startBenchProgram(
  name: 'simulated-fleet' | 'original-worker',
  order: object,
  onLine: (line: string) => void,
): Promise<BenchProgram> {
  const child = spawn(process.execPath, [join(import.meta.dirname, `${name}.js`)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.write(`${JSON.stringify(order)}\n`);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) =>
      line === 'ready' ? resolve() : onLine(line),
    );
    void ended.then(() => reject(new Error(`${name} ended before it was ready`)));
  });
  return {
    pid: child.pid ?? 0,
    async end() {
      child.stdin.end();
      await ended;
    },
  };
}

/** The order this program was given, and a signal that is aborted when its stdin is closed. */
export async function readOrder<Order>(): Promise<{ order: Order; ended: AbortSignal }> {
  const ending = new AbortController();
  const lines = createInterface({ input: process.stdin }).on('close', () => ending.abort());
  const line = await new Promise<string>((resolve) => lines.once('line', resolve));
  return { order: JSON.parse(line) as Order, ended: ending.signal };
}

/** Processor time a process has used so far, ms (Linux: /proc counts in hundredths of a second). */
export function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Memory a process holds now, MB. */
export function residentMb(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? Number.NaN) / 1024;
}

/** Process id of a child; throws when it has none. */
export function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the program did not start');
  return child.pid;
}
