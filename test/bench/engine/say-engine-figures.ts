import { existsSync } from 'node:fs';
import { table } from '../interleave.ts';
import { startPageBench } from './in-the-page.ts';
import { measureThroughput } from './throughput.ts';
import { measureWholeProcess } from './whole-process.ts';

/** Debian's full Chromium: what a launch finds where nobody named a headless shell. */
const fullChromium = '/usr/lib/chromium/chromium';

/** Measures the engine against its peers and prints it. `QUALINET_BENCH_PEERS` is the folder of their packages. */
export async function sayEngineFigures(say: (text: string) => void): Promise<void> {
  const browser = process.env['QUALINET_BROWSER'] ?? '';
  const packages = process.env['QUALINET_BENCH_PEERS'] ?? '';
  const rounds = Number(process.env['QUALINET_BENCH_ROUNDS'] ?? 10);

  const { times, memory } = await measureWholeProcess(rounds, { packages, browser });
  say(`\n${table('Ten steps, the whole process (aim: at most 1.0 of the script)', times)}`);
  const ours = times[1]?.medianMs ?? Number.NaN;
  for (const { name, medianMs } of times.slice(2)) {
    say(`  qualinet run is ${(ours / medianMs).toFixed(2)} of ${name} (aim: at most 0.7)`);
  }
  for (const { name, medianMb, rounds: n } of memory)
    say(`  ${name}: at most ${medianMb.toFixed(0)} MB PSS (n=${n})`);
  say(
    `  ratio of memory ${((memory[1]?.medianMb ?? Number.NaN) / (memory[0]?.medianMb ?? Number.NaN)).toFixed(2)} (aim: at most 1.0)`,
  );

  const runs = 50;
  const fullBrowser = existsSync(fullChromium) ? fullChromium : browser;
  const throughput = await measureThroughput(Math.min(rounds, 10), { runs, browser, fullBrowser });
  say(`\n${table(`${runs} runs, two beside each other`, throughput)}`);
  const [raw, mine, original] = throughput.map(({ medianMs }) => (runs * 60_000) / medianMs);
  if (raw !== undefined && mine !== undefined && original !== undefined) {
    say(
      `  runs a minute: ${raw.toFixed(0)} by hand, ${mine.toFixed(0)} ours (${(mine / raw).toFixed(2)} of it; aim: at least 0.97)`,
    );
    say(
      `  ${original.toFixed(0)} with a launch for each in ${fullBrowser}: ours is ${(mine / original).toFixed(1)} times that (aim: at least 3)`,
    );
  }

  const page = await startPageBench(browser);
  try {
    for (const delayMs of [100, 300, 900]) {
      const late = await page.lateElements(delayMs, rounds);
      say(
        `\n${table(`A click on what appears after ${delayMs} ms: how much later it comes (aim: ratio at most 0.6)`, late)}`,
      );
    }
    say(
      `\n${table('A click whose first three selectors match nothing (aim: ratio at most 0.1)', await page.fallbacks(rounds))}`,
    );
    const { alone, asking } = await page.overhead(rounds);
    say(`\n${table('A step that the engine does by itself (aim: below 1 ms)', alone)}`);
    say(`\n${table('A step that asks the page once', asking)}`);
  } finally {
    await page.close();
  }
}
