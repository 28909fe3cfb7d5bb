import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replayVerdict, sideVerdicts } from './official-verdicts.ts';
import { ourVerdicts } from './our-verdicts.ts';
import { startVerdictSite } from './site.ts';
import type { Verdict } from './verdict.ts';

/** The recordings that are compared, from where the built program lies. */
const recordings = join(import.meta.dirname, '../../test/bench/verdicts/recordings');

/** What the recordings call the site; the copies that are run have its address instead. */
const siteName = 'http://site.test';

/**
 * Runs each recording with the runner of the tool that it is from and with `qualinet run`, in the same browser, and says where they
 * agree. `QUALINET_BENCH_PEERS` is the folder of the others' packages. Disagreement decides nothing: the exit code stays 0.
 */
export async function sayVerdicts(say: (text: string) => void): Promise<void> {
  const browser = process.env['QUALINET_BROWSER'] ?? '';
  const packages = process.env['QUALINET_BENCH_PEERS'] ?? '';
  const site = await startVerdictSite();
  const folder = await mkdtemp(join(tmpdir(), 'qualinet-verdicts-'));
  const deps = { folder, browser, packages };
  try {
    // Scripts find their packages where they stand.
    await symlink(packages, join(folder, 'node_modules'));
    const names = (await readdir(recordings)).sort();
    for (const name of names) {
      const text = await readFile(join(recordings, name), 'utf8');
      await writeFile(join(folder, name), text.replaceAll(siteName, site.url));
    }
    const flows: Compared[] = [];
    for (const name of names.filter((name) => name.endsWith('.json'))) {
      const file = join(folder, name);
      const official = await replayVerdict(name, file, deps);
      const [ours] = await ourVerdicts(file, deps);
      flows.push({ unit: name.replace('.json', ''), official, ours: ours ?? null });
    }
    sayCompared('Recorder flows, @puppeteer/replay and ours', flows, say);

    const tests: Compared[] = [];
    for (const name of names.filter((name) => name.endsWith('.side'))) {
      const file = join(folder, name);
      const official = await sideVerdicts(file, deps);
      const ours = await ourVerdicts(file, deps);
      const whole = ours.length === 1 && ours[0]?.unit === '' ? ours[0] : null;
      for (const verdict of official) {
        const own = whole ?? ours.find(({ unit }) => unit === verdict.unit) ?? null;
        tests.push({ unit: verdict.unit, official: verdict, ours: own });
      }
    }
    sayCompared('Selenium IDE tests, selenium-side-runner and ours', tests, say);
  } finally {
    site.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Compared {
  unit: string;
  official: Verdict;
  /** Null where we have no such unit. */
  ours: Verdict | null;
}

function sayCompared(title: string, units: readonly Compared[], say: (text: string) => void): void {
  const width = Math.max(...units.map(({ unit }) => unit.length));
  const agree = units.filter(({ official, ours }) => official.passed === ours?.passed);
  say(`\n${title}`);
  say(`  ${'unit'.padEnd(width)}  official  ours`);
  for (const { unit, official, ours } of units) {
    const same = official.passed === ours?.passed;
    say(
      `  ${unit.padEnd(width)}  ${word(official).padEnd(8)}  ${word(ours).padEnd(6)}${same ? '' : '  <- differs'}`.trimEnd(),
    );
    if (same) continue;
    if (!official.passed) say(`    official: ${official.error}`);
    if (ours?.passed !== true) say(`    ours: ${ours?.error ?? 'there is no such flow'}`);
  }
  const share = ((100 * agree.length) / units.length).toFixed(1);
  const failing = units.filter(({ official }) => !official.passed).length;
  say(`  the same verdict in ${agree.length} of ${units.length} (${share} %); ${failing} fail officially`);
}

function word(verdict: Verdict | null): string {
  if (verdict === null) return '-';
  return verdict.passed ? 'passed' : 'failed';
}
