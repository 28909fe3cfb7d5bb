import { describe, expect, it } from 'vitest';
import type { NodeType } from '../../src/flow/node-types/node-types.ts';
import { browserTests, type ShortStep } from '../support/flow-in-browser.ts';

const heard = `<output id="heard"></output>`;

const site = browserTests({
  // Something of the page around lies over the frame for a while, which nothing in the frame can see.
  '/over-frame': `<iframe id="it" src="/inner" width="300" height="100" style="position:absolute;left:0;top:0"></iframe>
    <div id="veil" style="position:absolute;left:0;top:0;width:400px;height:200px;background:#0003"
      onclick="this.dataset.hit = 'yes'"></div>
    <script>setTimeout(() => veil.remove(), Number(location.search.slice(1)) || 1e6)</script>`,
  '/inner': `<button id="b" onclick="heard.textContent = 'clicked'">Go</button>${heard}`,
  // The frame is taken away and put back, as frameworks do that draw everything anew.
  '/new-frame': `<div id="place"></div><script>
    let round = 0;
    const put = () => { round += 1; place.innerHTML = '<iframe id="it" src="/counted?' + round + '"></iframe>'; };
    put();
    setTimeout(put, 600);
    setTimeout(put, 1_200);
  </script>`,
  '/counted': `<p id="p" data-a="1"></p><input id="i"><script>
    const isLast = location.search === '?3';
    document.title = isLast ? 'last' : 'not yet';
    if (isLast) { p.textContent = 'ready'; i.value = 'ready'; p.insertAdjacentHTML('afterend', '<b id="done">done</b>'); }
  </script>`,
  // The first of two alike is hidden, as on pages with a menu for small windows.
  '/hidden-first': `<button id="a" style="display:none">A</button><input id="x" type="checkbox" style="display:none">
    <input id="field" style="display:none"><button id="b">B</button><input id="y" type="checkbox"><input id="seen">
    ${heard}<script>
      for (const type of ['mouseover', 'change', 'keydown', 'focusin', 'mousedown'])
        addEventListener(type, ({ target }) => { heard.textContent += ' ' + type + '@' + target.id; }, true);
    </script>`,
  // Its box is hidden for good behind a label that takes the clicks.
  '/label': `<label>Agree <input id="x" type="checkbox" style="display:none"></label>
    <input id="other" type="checkbox"><output id="heard"></output>`,
  // Shows what it proposes at each key, as lists that complete do.
  '/complete': `<input id="q" value="gr"><ul id="list"></ul><output id="heard"></output><script>
    q.onkeydown = (event) => { heard.textContent += event.key; };
    q.onkeyup = () => { if (q.value.endsWith('een')) list.innerHTML = '<li>green tea</li>'; };
  </script>`,
  '/slow-keys': `<input id="q"><script>q.oninput = () => fetch('/typed?' + q.value);</script>`,
  '/typed': 'thanks',
  '/fallback': `<p id="there">hello</p>`,
  '/soon': `<script>setTimeout(() => { document.body.insertAdjacentHTML('beforeend', '<p id="first">hi</p>'); }, 60)</script>
    <p id="second">hello</p>`,
});

const open = (path: string): ShortStep => ['navigate', { url: site.url(path) }];
const errors = async (steps: ShortStep[]) =>
  (await site.run(steps)).result.stepsResult.map(({ error }) => error).filter((error) => error !== undefined);

describe('something of the page around that lies over a frame', () => {
  it('does not get the click that was meant for what is in the frame', async () => {
    const { result } = await site.run([
      open('/over-frame'),
      ['click', { selector: '#b', frame: ['#it'], timeoutMs: 5_000 }],
    ]);
    expect(result.stepsResult[1]).toMatchObject({ status: 'failed', errorKind: 'not_actionable' });
    expect(result.stepsResult[1]?.error).toContain('intercepts pointer events');
  });

  it('is waited for until it is gone', async () => {
    expect(
      await errors([
        open('/over-frame?4000'),
        ['click', { selector: '#b', frame: ['#it'] }],
        ['assertion', { selector: '#heard', value: 'clicked', frame: ['#it'] }],
      ]),
    ).toEqual([]);
  });
});

describe('a frame that is put there anew while a step looks into it', () => {
  it.each<[NodeType, Record<string, unknown>]>([
    ['assertion', { selector: '#p', value: 'ready' }],
    ['assertion', { selector: '#i', subject: 'value', value: 'ready' }],
    ['assertion', { selector: '#done', subject: 'count', value: '1' }],
    ['assertion', { subject: 'title', value: 'last' }],
    ['assertion', { subject: 'expression', expression: 'p.textContent', value: 'ready' }],
    ['waitFor', { selector: '#done', state: 'visible' }],
    ['waitFor', { selector: '#p', text: 'ready' }],
    ['waitFor', { title: 'last' }],
    ['waitFor', { expression: 'p.textContent === "ready"' }],
    ['extract', { selector: '#done', variable: 'X' }],
    ['extract', { selector: '#done', subject: 'attribute', attribute: 'id', variable: 'X' }],
    ['if', { selector: '#done', subject: 'visible', waitMs: 5_000 }],
    ['click', { selector: '#done' }],
  ])('is looked into again: %s %j', async (type, data) => {
    const { result } = await site.run([
      open('/new-frame'),
      [type, { frame: ['#it'], timeoutMs: 5_000, ...data }],
    ]);
    expect(result.stepsResult[1]?.error).toBeUndefined();
    if (type === 'if') expect(result.stepsResult[1]?.logs).toContain('along true');
  });
});

describe('an element that is hidden, with another way to one that is seen', () => {
  it.each<[NodeType, Record<string, unknown>]>([
    ['hover', { selector: '#a', selectors: ['#b'] }],
    ['mouse', { selector: '#a', selectors: ['#b'], action: 'down' }],
    ['drag', { selector: '#a', selectors: ['#b'], by: { x: 20, y: 0 } }],
    ['scroll', { selector: '#a', selectors: ['#b'] }],
    ['press', { selector: '#field', selectors: ['#seen'], key: 'x' }],
    ['focus', { selector: '#field', selectors: ['#seen'] }],
    ['check', { selector: '#x', selectors: ['#y'] }],
    ['screenshot', { selector: '#a', selectors: ['#b'] }],
  ])('is passed over soon by %s', async (type, data) => {
    const { result } = await site.run([open('/hidden-first'), [type, data]]);
    const [, step] = result.stepsResult;
    expect(step).toMatchObject({ status: 'passed', healed: { insteadOf: data['selector'] } });
    expect(step?.logs).toContain('hidden');
    expect(step?.durationMs).toBeLessThan(2_000);
  });

  it('is not passed over where a label stands for it', async () => {
    const { result } = await site.run([
      open('/label'),
      ['check', { selector: '#x', selectors: ['#other'] }],
      ['assertion', { selector: '#x', subject: 'checked' }],
    ]);
    expect(result.status).toBe('passed');
    expect(result.stepsResult[1]?.healed).toBeUndefined();
  });
});

describe('text that is appended', () => {
  it('comes key by key behind what is there, for lists that complete it', async () => {
    expect(
      await errors([
        open('/complete'),
        ['type', { selector: '#q', value: 'een', how: 'append' }],
        ['assertion', { selector: '#q', subject: 'value', value: 'green' }],
        ['assertion', { selector: '#heard', value: 'een' }],
        ['assertion', { selector: '#list', value: 'green tea' }],
      ]),
    ).toEqual([]);
  });
});

describe('typing that takes longer than its step', () => {
  it('ends with it, so that another try does not mix with the first', async () => {
    const { result } = await site.run([
      open('/slow-keys'),
      ['type', { selector: '#q', value: 'abcdefghij', how: 'keys', delayMs: 80, timeoutMs: 500, retries: 1 }],
    ]);
    expect(result.stepsResult[1]).toMatchObject({ status: 'failed', errorKind: 'timeout', attempts: 2 });
    const typed = site.requests().flatMap((path) => /^\/typed\?(.*)$/.exec(path)?.[1] ?? []);
    expect(typed).toContain('ab');
    for (const value of typed) expect('abcdefghij').toContain(value);
  });
});

describe('what a waitFor found', () => {
  it('tells that it was another than the first selector', async () => {
    const { result } = await site.run([
      open('/fallback'),
      ['waitFor', { selector: '#gone', selectors: ['#there'], text: 'hello' }],
    ]);
    expect(result.stepsResult[1]).toMatchObject({
      status: 'passed',
      healed: { selector: '#there', insteadOf: '#gone', proposed: ['#there', '#gone'] },
    });
    expect(result.stepsResult[1]?.logs).toBe('Waited for #there, because #gone was not there');
  });

  it('gives the first selector a moment', async () => {
    const { result } = await site.run([
      open('/soon'),
      ['waitFor', { selector: '#first', selectors: ['#second'] }],
    ]);
    expect(result.stepsResult[1]?.status).toBe('passed');
    expect(result.stepsResult[1]?.healed).toBeUndefined();
  });

  it('is nothing where it waits for something to go', async () => {
    const { result } = await site.run([
      open('/fallback'),
      ['waitFor', { selector: '#gone', selectors: ['#never'], state: 'hidden' }],
    ]);
    expect(result.stepsResult[1]?.healed).toBeUndefined();
  });
});
