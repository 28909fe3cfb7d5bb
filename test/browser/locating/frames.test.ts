import type { Frame } from 'playwright-core';
import { expect, it } from 'vitest';
import { locate } from '../../../src/browser/locating/locate.ts';
import { timeBudget } from '../../../src/browser/step/time-budget.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { browserTests } from '../../support/flow-in-browser.ts';
import { until } from '../../support/until.ts';

const site = browserTests({
  '/outer': `<button id="a">Outer</button><iframe name="middle" src="/middle"></iframe>`,
  '/middle': `<button class="a">Middle</button><iframe name="inner" src="/inner"></iframe>`,
  '/inner': `<script>setTimeout(() => {
    document.body.innerHTML = '<button id="a">One</button><button id="b">Two</button>';
  }, 150)</script>`,
});

const inFrame = async (name: string, selector: string): Promise<{ label: string; text: string | null }> => {
  const opened = await site.browser().newRun();
  try {
    await opened.page.goto(site.url('/outer'));
    let frame: Frame | null = null;
    await until('the frame is there', () => {
      frame = opened.page.frame({ name });
      return frame !== null;
    });
    if (frame === null) throw new Error(`no frame ${name}`);
    const halt = new AbortController().signal;
    const found = await locate(
      { candidates: [selector], need: 'clickable' },
      {
        page: opened.page,
        frame,
        network: opened.network,
        budget: timeBudget(2_000, systemClock, halt),
        clock: systemClock,
        halt,
        ensureMayAct: () => {},
      },
    );
    return { label: found.label, text: await found.locator.textContent() };
  } finally {
    await opened.close();
  }
};

it.each([
  ['#a', 'One'],
  ['role=button[name="Two"]', 'Two'],
  ['aria/Two', 'Two'],
  ['button >> nth=1', 'Two'],
])('looks in the frame of the step and in no other: %s', async (selector, text) => {
  expect(await inFrame('inner', selector)).toEqual({ label: selector, text });
});

it('tells what the frame holds that looks like what is not there', async () => {
  await expect(inFrame('middle', '#middle-button')).rejects.toThrow('nearest: <button.a> "Middle"');
});
