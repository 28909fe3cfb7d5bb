import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type Fleet, startFleet } from './fleet.ts';
import { brokenPromises } from './invariants.ts';
import { emptySpool } from './leftovers.ts';
import { processesOf } from './processes-of.ts';

/** What the runner and its browser hold after some runs. */
interface Sample {
  readonly runs: number;
  /** Resident memory of the runner's process after its garbage was collected, MB. */
  readonly runnerMb: number;
  /**
   * Anonymous and shared memory of the browser's processes together, MB: what several share counts once. Pages of the program's
   * file are left out, as their share depends on which other browsers this machine runs.
   */
  readonly browserMb: number;
  readonly runnerDescriptors: number;
  readonly browserDescriptors: number;
}

const sampleEvery = 50;
/** Caches fill and code is compiled until then. */
const warmUpRuns = 100;
/** Largest growth that counts as flat. */
const flatWithin = 0.1;
/** Contexts close and the next page is opened behind the last run; then the processes are quiet. */
const settleMs = 3_000;

/** Takes short runs through one runner and compares what it and its browser hold early and late; the exit code. */
export async function runSoak(runs: number, say: (line: string) => void): Promise<number> {
  const fleet = await startFleet({ ttlSeconds: 60 });
  const samples: Sample[] = [];
  try {
    await fleet.runners[0]?.start();
    say('  runs  runner RSS  browser own  runner fds  browser fds');
    while (fleet.runs.length < runs) {
      const batch = Math.min(sampleEvery, runs - fleet.runs.length);
      const submitted = [];
      for (let index = 0; index < batch; index += 1) submitted.push(await fleet.submit('tiny'));
      for (const run of submitted) await fleet.finalRow(run, 120_000);
      samples.push(await sample(fleet));
      say(lineOf(samples.at(-1)));
    }
    const late = samples.filter((one) => one.runs > warmUpRuns);
    const problems = [...growth(late, say), ...(await brokenPromises(fleet))];
    for (const problem of problems) say(`  VIOLATION ${problem}`);
    return problems.length === 0 ? 0 : 1;
  } finally {
    await fleet.stop();
  }
}

function lineOf(sample: Sample | undefined): string {
  if (sample === undefined) return '';
  const { runs, runnerMb, browserMb, runnerDescriptors, browserDescriptors } = sample;
  return `${String(runs).padStart(6)}  ${runnerMb.toFixed(1).padStart(7)} MB  ${browserMb.toFixed(1).padStart(8)} MB  ${String(runnerDescriptors).padStart(10)}  ${String(browserDescriptors).padStart(11)}`;
}

/** What grew too much. Early and late are the medians of the first and of the last third, as single samples scatter. */
function growth(samples: readonly Sample[], say: (line: string) => void): string[] {
  const third = Math.max(1, Math.floor(samples.length / 3));
  const problems: string[] = [];
  for (const [name, what] of [
    ['runnerMb', "the runner's memory"],
    ['browserMb', "the browser's memory"],
    ['runnerDescriptors', "the runner's descriptors"],
    ['browserDescriptors', "the browser's descriptors"],
  ] as const) {
    const early = median(samples.slice(0, third).map((one) => one[name]));
    const late = median(samples.slice(-third).map((one) => one[name]));
    const percent = ((late / early - 1) * 100).toFixed(1);
    say(`${what}: ${early.toFixed(1)} -> ${late.toFixed(1)} (${percent} %)`);
    const allowed = name.endsWith('Mb') ? early * (1 + flatWithin) : early;
    if (late > allowed)
      problems.push(`${what} grew by ${percent} %, from ${early.toFixed(1)} to ${late.toFixed(1)}`);
  }
  return problems;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function sample(fleet: Fleet): Promise<Sample> {
  const [runner] = fleet.runners;
  if (runner === undefined) throw new Error('there is no runner');
  await emptySpool(runner);
  await delay(settleMs);
  // Node collects old garbage only when it has gathered for some hundred runs: what is held is asked for, not what lies about.
  await runner.order({ collectGarbage: true });
  const all = await processesOf(runner.place);
  const browser = all.map(({ pid }) => pid).filter((pid) => pid !== runner.pid());
  const sum = async (read: (pid: number) => Promise<number>): Promise<number> =>
    (await Promise.all(browser.map(read))).reduce((a, b) => a + b, 0);
  return {
    runs: fleet.runs.length,
    runnerMb: await memoryMb(runner.pid(), 'Rss'),
    browserMb: await sum(
      async (pid) => (await memoryMb(pid, 'Pss_Anon')) + (await memoryMb(pid, 'Pss_Shmem')),
    ),
    runnerDescriptors: await descriptors(runner.pid()),
    browserDescriptors: await sum(descriptors),
  };
}

/** Of a process that has ended meanwhile, 0. */
async function memoryMb(pid: number, kind: 'Rss' | 'Pss_Anon' | 'Pss_Shmem'): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return Number(new RegExp(`^${kind}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1_024;
}

async function descriptors(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`).catch(() => [])).length;
}
