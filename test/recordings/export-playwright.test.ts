import { parse } from 'acorn';
import { chromium, type Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { FlowFile } from '../../src/flow/flow-file.ts';
import { exportPlaywright } from '../../src/recordings/export-playwright.ts';
import { layOutFlow } from '../../src/recordings/lay-out-flow.ts';
import { blockCode } from '../../src/recordings/playwright-export/block-code.ts';
import { readRecording } from '../../src/recordings/read-recording.ts';
import { html, startSite } from '../support/site.ts';
import { testBrowser } from '../support/test-browser.ts';

type Steps = [string, Record<string, unknown>][];

function flowFile(steps: Steps, variables: Record<string, string> = {}): FlowFile {
  const { nodes, edges } = layOutFlow({ name: 'Buy', steps: steps.map(([type, data]) => ({ type, data })) });
  return { name: 'Buy', flow: { nodes: [...nodes], edges: [...edges] }, variables };
}

/** What an exported test becomes when it is imported. */
function again(script: string) {
  parse(script, { ecmaVersion: 'latest', sourceType: 'module' });
  const [flow] = readRecording(script, 'buy.spec.js')?.flows ?? [];
  expect(flow?.unkept).toEqual([]);
  return flow?.flow;
}

/** Why a flow cannot be written. */
function refusalsOf(steps: Steps): readonly string[] {
  try {
    exportPlaywright(flowFile(steps));
    return [];
  } catch (error) {
    return (error as { problems: readonly string[] }).problems;
  }
}

const shop: Steps = [
  ['viewport', { width: 800, height: 600, deviceScaleFactor: 2, hasTouch: true }],
  ['navigate', { url: 'https://shop.example/{{SHOP}}', waitUntil: 'load' }],
  ['click', { selector: 'role=button[name*="Buy"i]', button: 'right', modifiers: ['Shift'], timeoutMs: 900 }],
  ['click', { selector: 'role=link[name="It\'s"s][level=2] >> nth=0', count: 2, position: { x: 1.5, y: 2 } }],
  ['type', { selector: 'label=Name', value: '{{USER}}' }],
  ['type', { selector: 'label="Name"', value: 'Dear $x \\ `{{USER}}`\n' }],
  ['press', { key: 'Control+A' }],
  ['press', { selector: 'placeholder=Search', key: 'Enter' }],
  ['check', { selector: 'text="I agree"' }],
  ['select', { selector: 'testid=size', by: 'label', value: 'XL' }],
  ['upload', { selector: '#file', files: ['a.txt'] }],
  ['hover', { selector: 'li >> internal:has-text="Pen"i', frame: ['#shop'] }],
  ['wait', { ms: 20 }],
  ['waitFor', { selector: '.busy', state: 'hidden' }],
  ['assertion', { selector: 'h1', subject: 'text', match: 'contains', value: '{{USER}}', soft: true }],
  ['assertion', { selector: '#ok', subject: 'checked', negate: true }],
  ['assertion', { subject: 'url', match: 'matches', value: '/paid$' }],
  ['extract', { selector: '#total', subject: 'text', variable: 'total' }],
  ['assertion', { selector: '#sum', subject: 'value', match: 'exact', value: '{{total}}' }],
  ['evaluate', { script: 'return document.title;', variable: 'title' }],
  ['cookies', { action: 'clear' }],
  ['log', { message: 'paid {{total}}' }],
];

describe('a flow as a test of Playwright', () => {
  it('comes back as the same flow when it is imported', () => {
    const script = exportPlaywright(flowFile(shop, { SHOP: 'pens', USER: 'Ann' }));
    const flow = again(script);
    expect(flow?.nodes.slice(1).map(({ type, data }) => [type, data])).toEqual(shop);
    expect(flow?.variables).toMatchObject({ SHOP: 'pens', USER: 'Ann' });
    expect(flow?.name).toBe('Buy');
  });

  it('arms popups, dialogs and downloads before the step that brings them about', () => {
    const steps: Steps = [
      ['click', { selector: '#terms', opens: 'terms', page: 'main' }],
      ['click', { selector: '#agree', page: 'terms' }],
      ['closePage', { page: 'terms' }],
      ['click', { selector: '#delete', page: 'main' }],
      ['dialog', { action: 'accept', text: 'yes', required: false }],
      ['click', { selector: '#bill', page: 'main' }],
      ['download', { save: 'bill.pdf', fileName: 'bill.pdf', match: 'exact' }],
    ];
    const script = exportPlaywright(flowFile(steps));
    expect(script).toBe(`import { test, expect } from '@playwright/test';

test('Buy', async ({ page }) => {
  const termsPromise = page.waitForEvent('popup');
  await page.locator('#terms').click();
  const terms = await termsPromise;
  await terms.locator('#agree').click();
  await terms.close();
  page.once('dialog', (dialog) => dialog.accept('yes'));
  await page.locator('#delete').click();
  const downloadPromise = page.waitForEvent('download');
  await page.locator('#bill').click();
  const download = await downloadPromise;
  await download.saveAs('bill.pdf');
  expect(download.suggestedFilename()).toBe('bill.pdf');
});
`);
    expect(
      again(script)
        ?.nodes.slice(1)
        .map(({ type, data }) => [type, data]),
    ).toEqual(steps);
  });

  it('writes decisions, loops and subflows', () => {
    const click = (id: string) => ({ nodeId: id, type: 'click' as const, fields: { selector: `#${id}` } });
    const { lines, functions, refusals } = blockCode([
      {
        nodeId: 'a',
        type: 'if',
        fields: { selector: '#banner', subject: 'visible' },
        blocks: { true: [click('close')], false: [click('go')] },
      },
      {
        nodeId: 'b',
        type: 'loop',
        fields: { kind: 'times', times: 3, as: 'i' },
        blocks: { body: [click('more')] },
      },
      {
        nodeId: 'c',
        type: 'loop',
        fields: { kind: 'while', subject: 'variable', variable: 'left', value: '0', negate: true },
        blocks: {
          body: [
            {
              nodeId: 'd',
              type: 'subflow',
              fields: { subflow: 'log in', variables: { user: 'Ann' } },
              blocks: { body: [click('login')] },
            },
          ],
        },
      },
    ]);
    expect(refusals).toEqual([]);
    expect(lines.join('\n')).toBe(`if (await page.locator('#banner').isVisible()) {
  await page.locator('#close').click();
} else {
  await page.locator('#go').click();
}
for (let round = 0; round < 3; round += 1) {
  variables.i = String(round);
  await page.locator('#more').click();
}
while (!(variables.left === '0')) {
  variables.user = 'Ann';
  await runLogIn();
}`);
    expect([...functions]).toEqual([['runLogIn', ["await page.locator('#login').click();"]]]);
  });

  it('takes the first selector that Playwright has words for', () => {
    const selectors = ['aria/Buy', 'aria/Buy[role="button"]', '#buy'];
    expect(exportPlaywright(flowFile([['click', { selectors }]]))).toContain(
      "page.getByRole('button', { name: 'Buy', exact: true }).click();",
    );
  });

  it('does in Playwright what the flow says', async () => {
    const site = await startSite({
      '/': (response) =>
        html(
          response,
          `<label>Name <input id="name"></label><select id="size"><option>S<option>XL</select>
          <button onclick="if (confirm('Sure?')) document.title = document.getElementById('name').value + document.getElementById('size').value">Buy</button>
          <a href="/terms" target="_blank">Terms</a>`,
        ),
      '/terms': (response) => html(response, '<input type="checkbox" id="agree">'),
    });
    const browser = await chromium.launch({ executablePath: (await testBrowser()).path });
    try {
      const script = exportPlaywright(
        flowFile(
          [
            ['navigate', { url: `${site.url}/` }],
            ['type', { selector: 'label=Name', value: '{{USER}}' }],
            ['select', { selector: '#size', by: 'label', value: 'XL' }],
            ['click', { selector: 'role=button[name="Buy"s]' }],
            ['dialog', { action: 'accept' }],
            ['click', { selector: 'text=Terms', opens: 'terms' }],
            ['check', { selector: '#agree', page: 'terms' }],
            ['closePage', { page: 'terms' }],
            ['extract', { subject: 'title', variable: 'title' }],
          ],
          { USER: 'Ann' },
        ),
      );
      const page = await browser.newPage();
      type Body = (fixtures: { page: Page }) => Promise<void>;
      let body: Body | undefined;
      const test = (_name: string, given: Body): void => {
        body = given;
      };
      new Function('test', 'process', script.replace(/^import .*$/m, ''))(test, { env: {} });
      await body?.({ page });
      expect(await page.title()).toBe('AnnXL');
      expect(page.context().pages()).toHaveLength(1);
    } finally {
      await browser.close();
      await site.close();
    }
  });

  it('is refused with every field that would be left out', () => {
    expect(
      refusalsOf([
        ['viewport', { width: 800, height: 600, isMobile: true, isLandscape: false }],
        ['evaluate', { script: 'return 1;', frame: ['#shop'] }],
        ['navigate', { url: 'https://shop.example/', timeoutMs: 100, retries: 0, retryDelayMs: 5 }],
        ['type', { selector: '#name', value: 'Ann', delayMs: 30 }],
        ['switchPage', { page: 'main', name: 'shop' }],
        ['viewport', { width: 800, height: 600, hasTouch: true }],
      ]),
    ).toEqual([
      'node "1-viewport" (viewport): an orientation other than that of the window',
      'node "2-evaluate" (evaluate): there are no words for frame',
      'node "4-type" (type): there are no words for delayMs',
      'node "5-switchPage" (switchPage): there are no words for name',
      'node "6-viewport" (viewport): pixel ratio, touch and mobile layout in another step than the first',
    ]);
  });

  it('is refused where a decision or a loop has bounds of its own', () => {
    const check = { subject: 'title', value: 'Paid' };
    const { refusals } = blockCode([
      { nodeId: 'a', type: 'if', fields: { ...check, waitMs: 500 } },
      { nodeId: 'b', type: 'loop', fields: { ...check, kind: 'while', maxIterations: 3 } },
      { nodeId: 'c', type: 'loop', fields: { ...check, kind: 'doWhile', as: 'i' } },
      { nodeId: 'd', type: 'loop', fields: { kind: 'times', times: 2, as: 'i' } },
    ]);
    expect(refusals).toEqual([
      'node "a" (if): there are no words for waitMs',
      'node "b" (loop): there are no words for maxIterations',
      'node "c" (loop): the count of rounds of such a loop',
    ]);
  });

  it('is refused for dialogs and downloads that no step before them brings about', () => {
    expect(
      refusalsOf([
        ['dialog', {}],
        ['click', { selector: '#a' }],
        ['dialog', {}],
        ['download', {}],
        ['dialog', { message: 'Sure?' }],
        ['openPage', { url: 'https://shop.example/' }],
        ['download', {}],
      ]),
    ).toEqual([
      'node "1-dialog" (dialog): no step stands before it that could bring it about',
      'node "5-dialog" (dialog): it is the second dialog of one step',
      'node "7-download" (download): it would have to be waited for before its page is there',
    ]);
  });

  it('keeps a download that follows the dialog of the same step', () => {
    const script = exportPlaywright(
      flowFile([
        ['click', { selector: '#bill' }],
        ['dialog', { action: 'accept' }],
        ['download', { save: 'bill.pdf' }],
      ]),
    );
    expect(script).toContain("  await download.saveAs('bill.pdf');");
    expect(script).toContain('dialog.accept()');
  });

  it('takes windows as the Recorder writes them', () => {
    const desktop = { deviceScaleFactor: 1, isMobile: false, hasTouch: false, isLandscape: false };
    const script = exportPlaywright(
      flowFile([
        ['viewport', { width: 800, height: 600, ...desktop }],
        ['viewport', { width: 400, height: 300, ...desktop }],
      ]),
    );
    expect(script).toContain('test.use({ viewport: { width: 800, height: 600 }');
    expect(script).toContain('await page.setViewportSize({ width: 400, height: 300 });');
  });

  it('takes flags as forms write them', () => {
    const script = exportPlaywright(
      flowFile([['assertion', { subject: 'title', value: 'Paid', soft: 'true' }]]),
    );
    expect(script).toContain("await expect.soft(page).toHaveTitle('Paid');");
  });

  it('is refused with every step that cannot be said', () => {
    const steps: Steps = [
      ['totp', { selector: '#code', secret: 'CODE' }],
      ['click', { selector: 'aria/Buy' }],
      ['network', { latencyMs: 30 }],
      ['click', { selector: '#a', page: 'popup' }],
    ];
    expect(refusalsOf(steps)).toEqual([
      'node "1-totp" (totp): there are no words for it',
      'node "2-click" (click): the selector aria/Buy: Playwright finds names by their role only',
      'node "3-network" (network): a slow network',
      'node "4-click" (click): the page "popup", which no step before has named',
    ]);
  });
});
