import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, expect, type Page } from 'playwright/test';
import { pairRunner, startFirstBridgeProcess, startRunnerProcess } from '../support/system.ts';
import { until } from '../support/until.ts';
import { startBenchSite } from './bench-site.ts';
import { interleave, type Measured } from './interleave.ts';

/** One step of the flow, both as a node and as Playwright code. */
interface BenchStep {
  type: string;
  data: Record<string, unknown>;
  byHand(page: Page): Promise<void>;
}

/** Ten steps on one page. By hand they use what a Playwright user writes: locators with their own waiting. */
function steps(url: string): BenchStep[] {
  const type = (value: string): BenchStep => ({
    type: 'type',
    data: { selector: '#item', value },
    byHand: (page) => page.fill('#item', value),
  });
  const click = (selector: string): BenchStep => ({
    type: 'click',
    data: { selector },
    byHand: (page) => page.click(selector),
  });
  const assertText = (selector: string, value: string): BenchStep => ({
    type: 'assertion',
    data: { selector, value },
    byHand: (page) => expect(page.locator(selector)).toHaveText(value),
  });
  return [
    { type: 'navigate', data: { url }, byHand: async (page) => void (await page.goto(url)) },
    type('milk'),
    click('#add'),
    assertText('#item-1', 'milk'),
    type('bread'),
    click('#add'),
    assertText('#item-2', 'bread'),
    {
      type: 'extract',
      data: { selector: '#count', variable: 'COUNT' },
      byHand: async (page) => void (await page.innerText('#count')),
    },
    click('#clear'),
    assertText('#count', '0 items'),
  ];
}

/** Milliseconds from submitting the run to its last event, through bridge and runner, against the same steps by hand. */
export async function measureTenSteps(path: '/' | '/late', rounds: number): Promise<Measured[]> {
  const folder = await mkdtemp(join(tmpdir(), 'qualinet-bench-'));
  const site = await startBenchSite();
  const bridge = await startFirstBridgeProcess(join(folder, 'bridge'));
  await pairRunner(bridge, join(folder, 'runner'));
  const runner = startRunnerProcess(join(folder, 'runner'));
  const browser = await chromium.launch({ executablePath: process.env['QUALINET_BROWSER'] ?? '' });
  try {
    const flow = steps(site.url + path);
    const nodes = [
      { id: 's', type: 'start' },
      ...flow.map(({ type, data }, index) => ({ id: `n${index}`, type, data })),
    ];
    const edges = flow.map((_, index) => ({
      source: index === 0 ? 's' : `n${index - 1}`,
      target: `n${index}`,
    }));
    return await interleave(
      [
        { name: 'Playwright by hand, warm browser, new context', round: () => byHand(browser, flow) },
        {
          name: 'through bridge and runner',
          async round() {
            const startedAt = performance.now();
            const runId = await bridge.submit({ nodes, edges });
            const updates = await bridge.follow(runId);
            const took = performance.now() - startedAt;
            if (updates.at(-1)?.type !== 'run_complete') throw new Error('the run did not end');
            const { status, error, stepsResult } = await bridge.read(runId);
            if (status !== 'passed')
              throw new Error(`the run ended ${status}: ${JSON.stringify(error ?? stepsResult)}`);
            return took;
          },
        },
      ],
      rounds,
      { restMs: 400 },
    );
  } finally {
    await browser.close();
    await runner.stop();
    await bridge.program.stop();
    site.close();
    await until(
      'the programs to end',
      () => runner.process.exitCode !== null && bridge.program.process.exitCode !== null,
    );
    await rm(folder, { recursive: true, force: true });
  }
}

async function byHand(browser: Browser, flow: readonly BenchStep[]): Promise<number> {
  const startedAt = performance.now();
  const context = await browser.newContext();
  const page = await context.newPage();
  for (const step of flow) await step.byHand(page);
  const took = performance.now() - startedAt;
  await context.close();
  return took;
}
