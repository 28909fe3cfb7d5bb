import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sideConfig } from '../engine/list-flow.ts';
import { runProgram } from './run-program.ts';
import { oneLine, type Verdict } from './verdict.ts';

/** Where the official runners are and what they run in. `folder` has the recordings, and `node_modules` beside them. */
export interface OfficialDeps {
  folder: string;
  packages: string;
  browser: string;
}

/** The verdict of @puppeteer/replay on a Recorder flow, run as its documentation says: as a library, in a process of its own. */
export async function replayVerdict(unit: string, file: string, deps: OfficialDeps): Promise<Verdict> {
  const script = join(deps.folder, 'replay.mjs');
  await writeFile(script, replayScript(deps.browser));
  const { code, stderr } = await runProgram([script, file], { cwd: deps.folder, timeoutMs: 60_000 });
  const error = code === 0 ? '' : code === null ? 'it did not end in a minute' : oneLine(stderr);
  return { unit, passed: code === 0, error };
}

/** The verdicts of selenium-side-runner on the tests of a project's suites. Throws when it tells none. */
export async function sideVerdicts(file: string, deps: OfficialDeps): Promise<Verdict[]> {
  const results = join(deps.folder, 'official-results');
  await mkdir(results, { recursive: true });
  await writeFile(join(deps.folder, '.side.yml'), sideConfig(deps.browser));
  const before = new Set(await readdir(results));
  const program = join(deps.packages, '.bin/selenium-side-runner');
  const { stdout, stderr } = await runProgram(
    [program, '--jest-options="--forceExit"', '--timeout', '3000', '--output-directory', results, file],
    { cwd: deps.folder, timeoutMs: 600_000 },
  );
  const written = (await readdir(results)).find((name) => !before.has(name));
  if (written === undefined)
    throw new Error(`selenium-side-runner told nothing of ${file}: ${stdout}${stderr}`);
  const { testResults } = JSON.parse(await readFile(join(results, written), 'utf8')) as JestResults;
  return testResults.flatMap(({ assertionResults }) =>
    assertionResults.map(({ ancestorTitles, title, status, failureMessages }) => ({
      unit: [...ancestorTitles.slice(1), title]
        .map((words) => words.replace(/^Running (suite|test) /, ''))
        .join(' / '),
      passed: status === 'passed',
      error: oneLine(failureMessages.join('\n')),
    })),
  );
}

interface JestResults {
  testResults: readonly {
    assertionResults: readonly {
      ancestorTitles: readonly string[];
      title: string;
      status: string;
      failureMessages: readonly string[];
    }[];
  }[];
}

function replayScript(browser: string): string {
  return `import { readFileSync } from 'node:fs';
import puppeteer from 'puppeteer-core';
import { createRunner, parse, PuppeteerRunnerExtension } from '@puppeteer/replay';
const browser = await puppeteer.launch({ executablePath: ${JSON.stringify(browser)}, headless: 'shell', args: ['--no-sandbox'] });
try {
  const flow = parse(JSON.parse(readFileSync(process.argv[2], 'utf8')));
  const runner = await createRunner(flow, new PuppeteerRunnerExtension(browser, await browser.newPage()));
  await runner.run();
} catch (error) {
  console.error(String(error?.stack ?? error));
  process.exitCode = 1;
} finally {
  await browser.close();
}
`;
}
