import { expect, it } from 'vitest';
import { findInPage } from '../../../src/browser/locating/find-in-page.ts';
import { composedForPage } from '../../../src/browser/locating/page-source.ts';
import { readCandidate } from '../../../src/browser/locating/read-candidate.ts';
import { browserTests } from '../../support/flow-in-browser.ts';

const site = browserTests({
  '/tangled': `<main id="m1"><p id="p1" class="x">Alpha <b id="b1">beta</b> gamma</p>
      <x-a id="a1"><span id="s1" class="x">Slotted alpha</span></x-a><x-a id="a2"></x-a></main>
    <p id="p2" class="x"><button id="t1">Alpha</button><input id="i1" type="submit" value="Alpha beta"></p>
    <section id="o1"><div id="d1"><em id="e1">al</em><em id="e2">pha</em></div></section>
    <a id="l1" href="#">Alpha</a><script>/* alpha */
      for (const host of document.querySelectorAll('x-a')) {
        const within = host.attachShadow({ mode: 'open' });
        within.innerHTML = '<p class="x" id="' + host.id + 'p">Alpha<slot></slot></p><x-b id="' + host.id + 'b"></x-b><a id="' + host.id + 'l" href="#">alpha</a>';
        within.querySelector('x-b').attachShadow({ mode: 'open' }).innerHTML =
          '<ul id="' + host.id + 'u"><li class="x" id="' + host.id + 'x">deep alpha</li></ul>';
      }
    </script>`,
});

it('finds what Playwright finds, in its order, wherever it finds anything itself', async () => {
  const opened = await site.browser().newRun();
  try {
    await opened.page.goto(site.url('/tangled'));
    const frame = opened.page.mainFrame();
    const find = composedForPage(idsOf, findInPage);
    const left: string[] = [];
    for (const written of [
      ...[
        '.x',
        'p',
        '*',
        'main p',
        'main > p.x',
        'x-a .x',
        'x-a > p',
        'x-b li',
        'p, li',
        'p + *',
        'a ~ ul',
        'main x-b ul > .x',
        'x-a ~ x-a li',
        'b, b',
      ],
      ...['text=alpha', 'text=beta', 'text=alpha beta', '"Alpha"', '"alpha"', 'text="Slotted alpha"'],
      ...['//p', '//main//span', '(//p)[2]', 'main >> xpath=//p', 'main >> //span'],
      ...[
        'main >> .x',
        'x-a >> .x',
        'x-a >> x-b >> li',
        'x-a >> nth=1 >> .x',
        '.x >> nth=3',
        'p >> text=alpha',
      ],
      ...['linkText=Alpha', 'partialLinkText=lph', 'x-a >> link=alpha', 'aria/Alpha', 'aria/deep alpha'],
      ...['text/alpha', 'pierce/li', 'id=a1u', 'li:nth-child(1)', 'li:nth-child(2n + 1)', '[id^="a1"]'],
      ...['p:not(.y)', 'main :is(p,span)', 'ul:has(li)', 'p:not(main p)', 'x-a >> :scope > p'],
      ...[
        'main >> p b',
        'main >> main p',
        'x-a >> x-b .x',
        'a[href="#"] + script',
        '[title="a > b"] p',
        'p.x:not(.y) > b',
      ],
    ]) {
      const { playwright, inPage } = readCandidate(written);
      if (inPage === null) throw new Error(`${written} is left to Playwright`);
      const ids = await frame.evaluate(find, inPage);
      if (ids === null) left.push(written);
      else {
        const theirs = await frame.locator(playwright).evaluateAll((all) => all.map(({ id }) => id));
        expect([written, ids]).toEqual([written, theirs]);
      }
    }
    // Where selectors within selectors would have to lead into shadow trees.
    expect(left).toEqual(['p, li', 'b, b', 'ul:has(li)', 'p:not(main p)', 'x-a >> :scope > p']);
  } finally {
    await opened.close();
  }
});

function idsOf(find: typeof findInPage, way: Parameters<typeof findInPage>[0]): string[] | null {
  return find(way, document)?.map(({ id }) => id) ?? null;
}
