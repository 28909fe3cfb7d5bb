import { describe, expect, it } from 'vitest';
import { checkFlow } from '../../../src/flow/check-flow.ts';
import type { ImportedFlow } from '../../../src/recordings/imported.ts';
import { readRecording } from '../../../src/recordings/read-recording.ts';

/** The flows of a script; each must be one that the engine takes. */
function flowsOf(script: string): readonly ImportedFlow[] {
  const recording = readRecording(script, 'shop.spec.ts');
  expect(recording?.format).toBe('playwright');
  for (const { flow } of recording?.flows ?? []) {
    const checked = checkFlow({ nodes: [...flow.nodes], edges: [...flow.edges] }, flow.variables ?? {});
    expect(checked.ok ? [] : checked.problems).toEqual([]);
  }
  return recording?.flows ?? [];
}

/** The steps of the only test with this body. */
function imported(body: string): { steps: [string, unknown][]; flow: ImportedFlow } {
  const [flow] = flowsOf(`import { test, expect } from '@playwright/test';
test('test', async ({ page }) => {
${body}
});`);
  if (flow === undefined) throw new Error('no flow');
  return { steps: flow.flow.nodes.slice(1).map(({ type, data }) => [type, data]), flow };
}

describe('a script of Playwright’s codegen', () => {
  it('keeps every action of codegen', () => {
    const { steps, flow } = imported(`
      await page.goto('https://shop.example/');
      await page.getByRole('button', { name: 'Buy' }).click();
      await page.locator('#row').dblclick({ button: 'right', modifiers: ['Shift'], position: { x: 3, y: 4 } });
      await page.getByText('Menu').hover();
      await page.getByLabel('I agree').check();
      await page.getByLabel('News').uncheck();
      await page.getByPlaceholder('Your name').fill('Ann');
      await page.getByTestId('search').press('ControlOrMeta+Enter');
      await page.getByLabel('Size').selectOption('xl');
      await page.getByLabel('Colours').selectOption(['red', 'blue']);
      await page.getByLabel('File').setInputFiles('a.txt');
      await page.getByLabel('Files').setInputFiles([]);
      await page.close();`);
    expect(flow.unkept).toEqual([]);
    expect(steps).toEqual([
      ['navigate', { url: 'https://shop.example/' }],
      ['click', { selector: 'role=button[name*="Buy"i]' }],
      [
        'click',
        { selector: '#row', count: 2, button: 'right', modifiers: ['Shift'], position: { x: 3, y: 4 } },
      ],
      ['hover', { selector: 'text=Menu' }],
      ['check', { selector: 'label=I agree' }],
      ['check', { selector: 'label=News', checked: false }],
      ['type', { selector: 'placeholder=Your name', value: 'Ann' }],
      ['press', { selector: 'testid=search', key: 'ControlOrMeta+Enter' }],
      ['select', { selector: 'label=Size', value: 'xl' }],
      ['select', { selector: 'label=Colours', values: ['red', 'blue'] }],
      ['upload', { selector: 'label=File', files: ['a.txt'] }],
      ['upload', { selector: 'label=Files', files: [] }],
      ['closePage', {}],
    ]);
  });

  it('spells locators exact or in part, by pattern, chained, filtered and within frames', () => {
    const { steps, flow } = imported(`
      await page.getByRole('link', { name: 'Say "hi"', exact: true }).click();
      await page.getByRole('heading', { name: /basket/i, level: 2 }).click();
      await page.getByText('Buy', { exact: true }).click();
      await page.getByText('"Buy"').click();
      await page.getByAltText('Logo').first().click();
      await page.getByTitle('Close', { exact: true }).nth(2).click();
      await page.getByTestId('a b').last().click();
      await page.locator('li').filter({ hasText: 'Pen' }).getByRole('button').click();
      await page.locator('li', { has: page.getByText('Ink') }).click();
      await page.locator('#outer').contentFrame().frameLocator('iframe[name="in"]').getByLabel('Card').fill('4');
      await page.getByRole('row').and(page.locator('.on')).click();`);
    expect(flow.unkept).toEqual([]);
    expect(steps.map(([, data]) => data)).toEqual([
      { selector: 'role=link[name="Say \\"hi\\""s]' },
      { selector: 'role=heading[name=/basket/i][level=2]' },
      { selector: 'text="Buy"' },
      { selector: 'internal:text="\\"Buy\\""i' },
      { selector: 'alt=Logo >> nth=0' },
      { selector: 'title="Close" >> nth=2' },
      { selector: 'testid="a b" >> nth=-1' },
      { selector: 'li >> internal:has-text="Pen"i >> role=button' },
      { selector: 'li >> internal:has="internal:text=\\"Ink\\"i"' },
      { selector: 'label=Card', frame: ['#outer', 'iframe[name="in"]'], value: '4' },
      { selector: 'role=row >> internal:and=".on"' },
    ]);
  });

  it('keeps expectations, soft and turned round', () => {
    const { steps, flow } = imported(`
      await expect(page.getByText('Thanks')).toBeVisible();
      await expect(page.locator('h1')).toHaveText('Thanks');
      await expect.soft(page.locator('h1')).not.toContainText('Sorry', { timeout: 900 });
      await expect(page.locator('#name')).toHaveValue('Ann');
      await expect(page.locator('#note')).toBeEmpty();
      await expect(page.locator('#ok')).not.toBeChecked();
      await expect(page.locator('#ok')).toBeChecked({ checked: false });
      await expect(page.locator('#pay')).toBeDisabled();
      await expect(page.locator('#pay')).not.toBeHidden();
      await expect(page.locator('li')).toHaveCount(3);
      await expect(page.locator('a')).toHaveAttribute('href', /^\\/buy/);
      await expect(page).toHaveURL('https://shop.example/paid');
      await expect(page).toHaveTitle(/paid/i);`);
    expect(flow.unkept).toEqual([]);
    expect(steps.map(([type]) => type)).toEqual(steps.map(() => 'assertion'));
    expect(steps.map(([, data]) => data)).toEqual([
      { selector: 'text=Thanks', subject: 'visible' },
      { selector: 'h1', subject: 'text', match: 'exact', value: 'Thanks' },
      {
        selector: 'h1',
        subject: 'text',
        match: 'contains',
        value: 'Sorry',
        negate: true,
        soft: true,
        timeoutMs: 900,
      },
      { selector: '#name', subject: 'value', match: 'exact', value: 'Ann' },
      { selector: '#note', subject: 'value', match: 'exact', value: '' },
      { selector: '#ok', subject: 'checked', negate: true },
      { selector: '#ok', subject: 'checked', negate: true },
      { selector: '#pay', subject: 'enabled', negate: true },
      { selector: '#pay', subject: 'visible' },
      { selector: 'li', subject: 'count', value: '3' },
      { selector: 'a', subject: 'attribute', attribute: 'href', match: 'matches', value: '^/buy' },
      { subject: 'url', match: 'exact', value: 'https://shop.example/paid' },
      { subject: 'title', match: 'matches', value: '[pP][aA][iI][dD]' },
    ]);
  });

  it('follows popups, downloads and dialogs', () => {
    const { steps, flow } = imported(`
      const page1Promise = page.waitForEvent('popup');
      await page.getByText('Terms').click();
      const page1 = await page1Promise;
      await page1.getByText('Agree').click();
      await page1.close();
      page.once('dialog', dialog => {
        console.log(\`Dialog message: \${dialog.message()}\`);
        dialog.dismiss().catch(() => {});
      });
      await page.getByText('Delete').click();
      const downloadPromise = page.waitForEvent('download');
      await page.getByText('Bill').click();
      const download = await downloadPromise;
      await download.saveAs('bill.pdf');
      expect(download.suggestedFilename()).toBe('bill-3.pdf');`);
    expect(flow.unkept).toEqual([]);
    expect(steps).toEqual([
      ['click', { selector: 'text=Terms', opens: 'page1', page: 'main' }],
      ['click', { selector: 'text=Agree', page: 'page1' }],
      ['closePage', { page: 'page1' }],
      ['click', { selector: 'text=Delete', page: 'main' }],
      ['dialog', { action: 'dismiss', required: false }],
      ['click', { selector: 'text=Bill', page: 'main' }],
      ['download', { save: 'bill.pdf', fileName: 'bill-3.pdf', match: 'exact' }],
    ]);
  });

  it('reads several tests with what is done before each, and a script without a test', () => {
    const flows = flowsOf(`
      import { test, expect } from '@playwright/test';
      test.use({ baseURL: 'https://shop.example/', viewport: { width: 800, height: 600 } });
      const name = 'Ann';
      test.beforeEach(async ({ page }) => { await page.goto('/login'); });
      test.describe('shop', () => {
        test('buys', async ({ page }) => { await page.getByLabel('Name').fill(name); });
        test('leaves', async ({ page }) => { await page.getByText(\`Bye \${name}\`).click(); });
      });`);
    expect(flows.map(({ name }) => name)).toEqual(['buys', 'leaves']);
    expect(flows[0]?.flow.nodes.slice(1).map(({ type, data }) => [type, data])).toEqual([
      ['viewport', { width: 800, height: 600 }],
      ['navigate', { url: 'https://shop.example/login' }],
      ['type', { selector: 'label=Name', value: 'Ann' }],
    ]);
    const [script] = flowsOf(`
      const { chromium } = require('playwright');
      (async () => {
        const browser = await chromium.launch({ headless: false });
        const context = await browser.newContext({ viewport: { width: 640, height: 480 } });
        const page = await context.newPage();
        await page.goto('https://shop.example/');
        await page.getByRole('link').click();
        // ---------------------
        await context.close();
        await browser.close();
      })();`);
    expect(script?.unkept).toEqual([]);
    expect(script?.flow.nodes.map(({ type }) => type)).toEqual(['start', 'viewport', 'navigate', 'click']);
  });

  it('names every line that it cannot keep', () => {
    const { flow } = imported(`await page.route('**/*', route => route.abort());
await page.getByText('Go').click({ trial: true });
if (await page.getByText('Go').isVisible()) await page.reload();
await expect(page.locator('h1')).toMatchAriaSnapshot('- heading');
await page.goto('/relative');
await page.locator(names[0]).click();
await page.getByText('Go').dispatchEvent('click');`);
    expect(flow.unkept.map(({ where, why }) => `${where}: ${why}`)).toEqual([
      'line 3: a value that is computed',
      'line 4: the option "trial"',
      'line 5: scripts are read step by step, without decisions and loops',
      'line 6: there is no assertion for toMatchAriaSnapshot()',
      'line 7: url: "/relative" has no scheme; write https://relative',
      'line 8: a value that is computed',
      'line 9: there is no step for dispatchEvent()',
    ]);
    expect(flow.flow.nodes).toHaveLength(8);
  });

  it('is refused when it is no JavaScript or holds no test', () => {
    const read = (text: string) => () => readRecording(text, 'shop.spec.ts');
    expect(read("import { test } from '@playwright/test';\nconst a: string = '';")).toThrow(
      'shop.spec.ts is no JavaScript that can be read: Unexpected token (2:7)',
    );
    expect(read("import { test } from '@playwright/test';")).toThrow('holds no test');
    expect(readRecording('const a = 1;', 'a.js')).toBeNull();
  });
});
