import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../../src/browser/launch-chromium.ts';
import { silentLog } from '../../src/lib/log.ts';
import type { RunResult, StepResult } from '../../src/protocol/run-result.ts';
import { htmlReport } from '../../src/report/html.ts';
import { junitReport } from '../../src/report/junit.ts';
import type { ReportedRun } from '../../src/report/reported-run.ts';
import { testBrowser } from '../support/test-browser.ts';

const hostile = `a & b < c > "d" 'e' ]]> </system-out><script>document.title='taken'</script> \u0000\u001b[31m \ud800 é 🙂`;
const shown = `a & b < c > "d" 'e' ]]> </system-out><script>document.title='taken'</script> [31m  é 🙂`;

const passing: StepResult = {
  nodeId: 'open',
  type: 'navigate',
  status: 'passed',
  durationMs: 120,
  logs: hostile,
};
const failing: StepResult = {
  nodeId: 'buy',
  type: 'click',
  status: 'failed',
  durationMs: 1500,
  error: hostile,
  errorKind: 'not_found',
  screenshotUrl: 'file:///my%20pictures/buy.png',
  observed: {
    consoleErrors: ['boom <b>'],
    failedRequests: ['500 GET http://shop.test/api'],
    pageErrors: ['x is not defined'],
  },
};
const ended = (status: RunResult['status'], ...stepsResult: StepResult[]): RunResult => ({
  status,
  durationMs: stepsResult.reduce((sum, { durationMs }) => sum + durationMs, 0),
  stepsResult,
});
const startedAt = Date.UTC(2026, 10, 24, 12);
const runs: ReportedRun[] = [
  {
    name: 'Buy',
    file: 'a.json',
    repetition: null,
    tries: [{ startedAt, result: ended('passed', passing), tracePath: null }],
  },
  {
    name: hostile,
    file: 'a.json',
    repetition: null,
    tries: [{ startedAt, result: ended('failed', passing, failing), tracePath: null }],
  },
  {
    name: 'Pay',
    file: 'b.json',
    repetition: 2,
    tries: [
      { startedAt, result: ended('failed', failing), tracePath: null },
      { startedAt, result: ended('passed', passing), tracePath: null },
    ],
  },
  {
    name: 'Cut',
    file: 'b.json',
    repetition: null,
    tries: [
      {
        startedAt,
        result: { ...ended('cancelled'), error: { code: 'cancelled', message: 'interrupted' } },
        tracePath: null,
      },
    ],
  },
  { name: 'Later', file: 'b.json', repetition: null, tries: [] },
];

let browser: Browser;
let page: Page;
let close: () => Promise<void>;
beforeAll(async () => {
  const chromium = await launchChromium({
    choice: await testBrowser(),
    log: silentLog,
    proxyUrl: 'http://127.0.0.1:9',
  });
  browser = chromium.browser;
  close = () => chromium.close();
  page = await (await browser.newContext()).newPage();
});
afterAll(() => close());

/** What an XML parser makes of the report. */
async function parsed(xml: string) {
  return page.evaluate((text) => {
    const read = new DOMParser().parseFromString(text, 'application/xml');
    const attributesOf = (element: Element): Record<string, string> =>
      Object.fromEntries([...element.attributes].map(({ name, value }) => [name, value]));
    return {
      error: read.querySelector('parsererror')?.textContent ?? null,
      root: attributesOf(read.documentElement),
      suites: [...read.querySelectorAll('testsuite')].map(attributesOf),
      cases: [...read.querySelectorAll('testcase')].map((one) => ({
        ...attributesOf(one),
        inside: [...one.children].map(({ nodeName }) => nodeName),
        message: one.querySelector('failure')?.getAttribute('message') ?? '',
        text: one.querySelector('failure')?.textContent ?? '',
        out: one.querySelector('system-out')?.textContent ?? '',
      })),
    };
  }, xml);
}

describe('a report in JUnit XML', () => {
  it('is XML whatever the page and the flow say, with a suite a file and a case a run', async () => {
    const { error, root, suites, cases } = await parsed(junitReport(runs));
    expect(error).toBeNull();
    expect(root).toMatchObject({ name: 'qualinet', tests: '5', failures: '1', errors: '1', skipped: '1' });
    expect(suites).toMatchObject([
      { name: 'a.json', tests: '2', failures: '1', timestamp: '2026-11-24T12:00:00' },
      { name: 'b.json', tests: '3', failures: '0' },
    ]);
    expect(cases).toMatchObject([
      { name: 'Buy', classname: 'a.json', time: '0.120', inside: ['system-out'] },
      { name: shown, inside: ['failure', 'system-out'] },
      { name: 'Pay (2)', time: '1.620', inside: ['flakyFailure', 'system-out'] },
      { name: 'Cut', inside: ['error', 'system-out'] },
      { name: 'Later', inside: ['skipped'] },
    ]);
    expect(cases[1]?.message).toBe(`buy (click): ${shown}`);
    expect(cases[1]?.text.split('\n')).toEqual([
      `buy (click): ${shown}`,
      'page error: x is not defined',
      'console: boom <b>',
      'request: 500 GET http://shop.test/api',
      '[[ATTACHMENT|/my pictures/buy.png]]',
    ]);
    expect(cases[0]?.out).toBe(`ok   open navigate  ${shown}  (120 ms)`);
  });

  it('holds no run at all as well', async () => {
    expect(await parsed(junitReport([]))).toMatchObject({ error: null, root: { tests: '0' }, suites: [] });
  });
});

describe('a report in HTML', () => {
  const pixel = `data:image/png;base64,${'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='}`;
  const deps = {
    picture: (url: string) => (url.endsWith('buy.png') ? pixel : null),
    madeAt: startedAt,
    by: 'qualinet 1',
  };

  it('is one page that fetches nothing, runs nothing, and shows what happened', async () => {
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url().slice(0, 40)));
    await page.setContent(htmlReport(runs, deps));
    const seen = await page.evaluate(async () => {
      await Promise.all([...document.images].map((image) => image.decode()));
      return {
        title: document.title,
        scripts: document.scripts.length,
        pictures: [...document.images].map(({ naturalWidth }) => naturalWidth),
        runs: [...document.querySelectorAll('details.run')].map((run) => ({
          isOpen: (run as HTMLDetailsElement).open,
          summary: run.querySelector('summary')?.textContent?.replace(/\s+/g, ' ').trim(),
          steps: [...run.querySelectorAll('tr')].map((row) => row.querySelector('.text')?.textContent),
        })),
        text: document.body.textContent ?? '',
      };
    });
    expect(requests.filter((url) => !url.startsWith('data:'))).toEqual([]);
    expect(seen).toMatchObject({
      title: '5 runs: 1 passed, 1 failed, 1 flaky, 1 cancelled, 1 skipped',
      scripts: 0,
    });
    expect(seen.pictures).toEqual([1, 1]);
    expect(seen.runs.map(({ isOpen }) => isOpen)).toEqual([false, true, true, true, false]);
    expect(seen.runs[0]?.summary).toBe('passed Buy a.json 120 ms');
    expect(seen.runs[1]?.steps[1]).toBe(shown);
    expect(seen.text).toContain('500 GET http://shop.test/api');
    expect(seen.text).toContain('Try 2: passed');
  });
});
