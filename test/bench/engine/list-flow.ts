import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One and the same ten steps on the list of bench-site.ts, as each tool wants them: the files, and the folder they are in. */
export interface ListFlow {
  folder: string;
  flow: string;
  recording: string;
  side: string;
  spec: string;
}

type Step =
  | { do: 'open' }
  | { do: 'type' | 'assert'; at: string; text: string }
  | { do: 'click' | 'read'; at: string };

const steps: readonly Step[] = [
  { do: 'open' },
  { do: 'type', at: 'item', text: 'milk' },
  { do: 'click', at: 'add' },
  { do: 'assert', at: 'item-1', text: 'milk' },
  { do: 'type', at: 'item', text: 'bread' },
  { do: 'click', at: 'add' },
  { do: 'assert', at: 'item-2', text: 'bread' },
  { do: 'read', at: 'count' },
  { do: 'click', at: 'clear' },
  { do: 'assert', at: 'count', text: '0 items' },
];

/** Writes them all for a site at `url`; `browser` is the Chromium that every one of them uses. */
export async function writeListFlow(folder: string, url: string, browser: string): Promise<ListFlow> {
  const files = {
    flow: 'flow.json',
    recording: 'recording.json',
    side: 'project.side',
    spec: 'list.spec.mjs',
  };
  await mkdir(folder, { recursive: true });
  const write = (name: string, content: unknown): Promise<void> =>
    writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  await write(files.flow, asFlow(url));
  await write(files.recording, asRecording(url));
  await write(files.side, asSide(url));
  await write(files.spec, asSpec(url));
  await write('.side.yml', sideConfig(browser));
  await write('playwright.config.mjs', playwrightConfig(browser));
  const paths = Object.entries(files).map(([key, name]) => [key, join(folder, name)]);
  return { folder, ...(Object.fromEntries(paths) as Omit<ListFlow, 'folder'>) };
}

function asFlow(url: string): unknown {
  const nodes = steps.map((step, index) => ({ id: `n${index}`, ...asNode(step, url) }));
  return {
    name: 'List',
    nodes: [{ id: 's', type: 'start' }, ...nodes],
    edges: nodes.map(({ id }, index) => ({ source: index === 0 ? 's' : `n${index - 1}`, target: id })),
  };
}

function asNode(step: Step, url: string): { type: string; data: Record<string, unknown> } {
  switch (step.do) {
    case 'open':
      return { type: 'navigate', data: { url } };
    case 'type':
      return { type: 'type', data: { selector: `#${step.at}`, value: step.text } };
    case 'assert':
      return { type: 'assertion', data: { selector: `#${step.at}`, value: step.text } };
    case 'click':
      return { type: 'click', data: { selector: `#${step.at}` } };
    case 'read':
      return { type: 'extract', data: { selector: `#${step.at}`, variable: 'COUNT' } };
  }
}

/** The Recorder cannot read: it waits for the text instead. */
function asRecording(url: string): unknown {
  const one = (step: Step): Record<string, unknown> => {
    if (step.do === 'open') return { type: 'navigate', url };
    const selectors = [[`#${step.at}`]];
    if (step.do === 'type') return { type: 'change', selectors, value: step.text };
    if (step.do === 'click') return { type: 'click', selectors, offsetX: 2, offsetY: 2 };
    const properties = { textContent: step.do === 'assert' ? step.text : '2 items' };
    return { type: 'waitForElement', selectors, properties };
  };
  return { title: 'List', steps: steps.map(one) };
}

function asSide(url: string): unknown {
  const one = (step: Step, index: number): Record<string, unknown> => {
    const [command, target, value] =
      step.do === 'open'
        ? ['open', '/', '']
        : {
            type: ['type', `id=${step.at}`, 'text' in step ? step.text : ''],
            click: ['click', `id=${step.at}`, ''],
            assert: ['assertText', `id=${step.at}`, 'text' in step ? step.text : ''],
            read: ['storeText', `id=${step.at}`, 'COUNT'],
          }[step.do];
    return { id: `c${index}`, comment: '', command, target, targets: [], value };
  };
  const tests = [{ id: 't', name: 'List', commands: steps.map(one) }];
  const suites = [{ id: 's', name: 'S', persistSession: false, parallel: false, timeout: 300, tests: ['t'] }];
  return { id: 'p', version: '2.0', name: 'List', url, urls: [], plugins: [], tests, suites };
}

/** The lines of a script of Playwright. */
export function playwrightLines(url: string): string[] {
  return steps.map((step) => playwrightLine(step, url));
}

function playwrightLine(step: Step, url: string): string {
  switch (step.do) {
    case 'open':
      return `await page.goto('${url}');`;
    case 'type':
      return `await page.locator('#${step.at}').fill('${step.text}');`;
    case 'click':
      return `await page.locator('#${step.at}').click();`;
    case 'assert':
      return `await expect(page.locator('#${step.at}')).toHaveText('${step.text}');`;
    case 'read':
      return `await page.locator('#${step.at}').innerText();`;
  }
}

function asSpec(url: string): string {
  return `import { expect, test } from '@playwright/test';
test('List', async ({ page }) => {
  ${playwrightLines(url).join('\n  ')}
});
`;
}

function playwrightConfig(browser: string): string {
  return `export default {
  testDir: '.', testMatch: '*.spec.mjs', reporter: 'line', workers: 1,
  use: { launchOptions: { executablePath: ${JSON.stringify(browser)}, chromiumSandbox: false } },
};
`;
}

/** `.side.yml` of selenium-side-runner for this Chromium. */
export function sideConfig(browser: string): string {
  return `capabilities:
  browserName: chrome
  "goog:chromeOptions":
    binary: ${browser}
    args: [headless, no-sandbox]
`;
}
