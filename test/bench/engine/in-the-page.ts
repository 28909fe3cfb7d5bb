import { chromium, type Page } from 'playwright/test';
import { executeFlow } from '../../../src/browser/execute-flow.ts';
import { launchBrowser, type WarmBrowser } from '../../../src/browser/warm-browser.ts';
import { fieldsOf, type NodeType } from '../../../src/flow/node-types/node-types.ts';
import type { Step } from '../../../src/flow/step.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { silentLog } from '../../../src/lib/log.ts';
import type { RunResult } from '../../../src/protocol/run-result.ts';
import { type Site, startSite } from '../../support/site.ts';
import { interleave, type Measured } from '../interleave.ts';

type ShortStep = readonly [NodeType, Record<string, unknown>];

/** What steps take within the page: the engine in this process against Playwright in this process, the same browser binary. */
export interface PageBench {
  /** How long after its element appeared a click happens, ms; the page itself measures. */
  lateElements(delayMs: number, rounds: number): Promise<Measured[]>;
  /** A click whose first three selectors match nothing. */
  fallbacks(rounds: number): Promise<Measured[]>;
  /** What a step costs that the engine does by itself, and one that asks the page once, ms a step. */
  overhead(rounds: number): Promise<{ alone: Measured[]; asking: Measured[] }>;
  close(): Promise<void>;
}

/** Starts both browsers. */
export async function startPageBench(browserPath: string): Promise<PageBench> {
  const site = await startSite({
    '/late': latePage,
    '/here': '<p id="text">here</p><button id="there">Go</button>',
  });
  const warm = await launchBrowser({
    choice: {
      path: browserPath,
      kind: 'headless-shell',
      source: 'environment',
      why: 'the benchmark names it',
    },
    log: silentLog,
  });
  const browser = await chromium.launch({ executablePath: browserPath, chromiumSandbox: false });
  const page = await (await browser.newContext()).newPage();
  return {
    lateElements: (delayMs, rounds) => lateElements(delayMs, rounds, { site, warm, page }),
    fallbacks: (rounds) => fallbacks(rounds, { site, warm, page }),
    overhead: (rounds) => overhead(rounds, { site, warm, page }),
    async close() {
      await browser.close();
      await warm.close();
      await site.close();
    },
  };
}

interface Scene {
  site: Site;
  warm: WarmBrowser;
  page: Page;
}

/** The button notes when it came, and when it was clicked. */
const latePage = `<p id="took"></p><script>
const ms = Number(new URLSearchParams(location.search).get('ms'));
const add = () => { const b = document.createElement('button'); b.id = 'late'; b.textContent = 'Go'; const at = performance.now();
  b.onclick = () => { took.textContent = String(performance.now() - at); }; document.body.append(b); };
addEventListener('load', () => ms === 0 ? add() : setTimeout(add, ms));
</script>`;

function lateElements(delayMs: number, rounds: number, { site, warm, page }: Scene): Promise<Measured[]> {
  const url = `${site.url}/late?ms=${delayMs}`;
  return interleave(
    [
      {
        name: 'locator.click',
        async round() {
          await page.goto(url);
          await page.locator('#late').click();
          return Number(await page.locator('#took').textContent());
        },
      },
      {
        name: 'a click step',
        async round() {
          const { stepsResult } = await execute(warm, [
            ['navigate', { url }],
            ['click', { selector: '#late' }],
            ['extract', { selector: '#took', variable: 'TOOK' }],
          ]);
          return Number(stepsResult[2]?.extracted?.value);
        },
      },
    ],
    rounds,
    { restMs: 50 },
  );
}

function fallbacks(rounds: number, { site, warm, page }: Scene): Promise<Measured[]> {
  const url = `${site.url}/here`;
  const selectors = ['#gone', 'text=Nowhere', '[data-gone]', '#there'];
  return interleave(
    [
      {
        name: 'one after the other, 1 s each',
        async round() {
          await page.goto(url);
          const startedAt = performance.now();
          for (const selector of selectors) {
            const isDone = await page
              .locator(selector)
              .click({ timeout: 1_000 })
              .then(
                () => true,
                () => false,
              );
            if (isDone) break;
          }
          return performance.now() - startedAt;
        },
      },
      {
        name: 'a click step',
        async round() {
          const { stepsResult } = await execute(warm, [
            ['navigate', { url }],
            ['click', { selector: selectors[0], selectors: selectors.slice(1) }],
          ]);
          return stepsResult[1]?.durationMs ?? Number.NaN;
        },
      },
    ],
    rounds,
    { warmUp: 1, restMs: 50 },
  );
}

/** Steps of one flow; what opens the page is measured by itself and taken off. */
const count = 200;

async function overhead(
  rounds: number,
  { site, warm, page }: Scene,
): Promise<{ alone: Measured[]; asking: Measured[] }> {
  const url = `${site.url}/here`;
  const opened: ShortStep = ['navigate', { url }];
  const perStep = async (step: ShortStep): Promise<number> => {
    const result = await execute(warm, [opened, ...Array.from({ length: count }, () => step)]);
    return (result.durationMs - (result.stepsResult[0]?.durationMs ?? 0)) / count;
  };
  const alone = await interleave(
    [{ name: 'a log step', round: () => perStep(['log', { message: 'a line' }]) }],
    rounds,
    { restMs: 50 },
  );
  const asking = await interleave(
    [
      {
        name: 'locator.innerText',
        async round() {
          await page.goto(url);
          const startedAt = performance.now();
          for (let index = 0; index < count; index += 1) await page.locator('#text').innerText();
          return (performance.now() - startedAt) / count;
        },
      },
      { name: 'an extract step', round: () => perStep(['extract', { selector: '#text', variable: 'TEXT' }]) },
    ],
    rounds,
    { restMs: 50 },
  );
  return { alone, asking };
}

async function execute(warm: WarmBrowser, steps: readonly ShortStep[]): Promise<RunResult> {
  const result = await executeFlow(
    {
      steps: steps.map(
        ([type, data], index): Step => ({ nodeId: String(index + 1), type, fields: fieldsOf(type, data) }),
      ),
      variables: {},
    },
    {
      openPage: () => warm.newRun(),
      signal: new AbortController().signal,
      ensureMayAct: () => {},
      sideEffectsMayBegin: () => Promise.resolve(),
      onEvent: () => {},
      onDeed: () => {},
      keepScreenshot: () => Promise.resolve({ problem: 'none is kept' }),
      clock: systemClock,
    },
  );
  if (result.status !== 'passed')
    throw new Error(`the steps ended ${result.status}: ${JSON.stringify(result)}`);
  await warm.settled();
  return result;
}
