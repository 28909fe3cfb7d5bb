import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, expect, type Page } from 'playwright/test';
import { runnerProgram } from '../../support/system.ts';
import { startBenchSite } from '../bench-site.ts';
import { interleave, type Measured } from '../interleave.ts';
import { writeListFlow } from './list-flow.ts';

/** Milliseconds that `runs` runs of the ten steps take, two beside each other, in a browser that is up already. */
export async function measureThroughput(
  rounds: number,
  { runs, browser, fullBrowser }: { runs: number; browser: string; fullBrowser: string },
): Promise<Measured[]> {
  const folder = await mkdtemp(join(tmpdir(), 'qualinet-bench-'));
  const site = await startBenchSite();
  const url = `${site.url}/`;
  const warm = await chromium.launch({ executablePath: browser, chromiumSandbox: false });
  try {
    const files = await writeListFlow(join(folder, 'list'), url, browser);
    return await interleave(
      [
        {
          name: 'Playwright, warm browser, new contexts',
          round: () => timed(runs, () => inContext(warm, url)),
        },
        { name: 'qualinet run --workers 2', round: () => timedRunner(files.flow, runs, browser) },
        {
          name: "the original's shape: a launch for each run",
          // A tenth of the runs, times ten: it is many times slower.
          round: async () => 10 * (await timed(Math.ceil(runs / 10), () => launched(fullBrowser, url))),
        },
      ],
      rounds,
      { warmUp: 1, restMs: 300 },
    );
  } finally {
    await warm.close();
    site.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function timed(runs: number, one: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  let left = runs;
  const work = async (): Promise<void> => {
    for (; left > 0; ) {
      left -= 1;
      await one();
    }
  };
  await Promise.all([work(), work()]);
  return performance.now() - startedAt;
}

async function inContext(browser: Browser, url: string): Promise<void> {
  const context = await browser.newContext();
  await byHand(await context.newPage(), url);
  await context.close();
}

async function launched(executablePath: string, url: string): Promise<void> {
  const browser = await chromium.launch({ executablePath, chromiumSandbox: false });
  await inContext(browser, url);
  await browser.close();
}

async function byHand(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.locator('#item').fill('milk');
  await page.locator('#add').click();
  await expect(page.locator('#item-1')).toHaveText('milk');
  await page.locator('#item').fill('bread');
  await page.locator('#add').click();
  await expect(page.locator('#item-2')).toHaveText('bread');
  await page.locator('#count').innerText();
  await page.locator('#clear').click();
  await expect(page.locator('#count')).toHaveText('0 items');
}

/** What the runner itself says all runs took: like the others without its start and the launch. */
async function timedRunner(flow: string, runs: number, browser: string): Promise<number> {
  const args = [
    'run',
    flow,
    '--repeat',
    String(runs),
    '--workers',
    '2',
    '--json',
    '--browser',
    browser,
    '--allow-root',
  ];
  const child = spawn(process.execPath, [runnerProgram, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  child.stdout.on('data', (chunk) => (said += String(chunk)));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`qualinet run ended with ${code}: ${said.slice(-500)}`);
  return (JSON.parse(said) as { durationMs: number }).durationMs;
}
