import { describe, expect, it } from 'vitest';
import { browserTests, type ShortStep } from '../../support/flow-in-browser.ts';

const later = (ms: number, script: string): string =>
  `<script>setTimeout(() => { ${script} }, ${ms})</script>`;
const clicked = `onclick="document.body.dataset.clicked = this.id"`;

const site = browserTests({
  '/plain': `<button id="a" ${clicked}>A</button><button id="b" class="two" ${clicked}>B</button>`,
  '/late': `<main></main><p id="lateness"></p>${later(
    300,
    `document.querySelector('main').innerHTML = '<button id="a">A</button>';
     const shownAt = performance.now();
     document.querySelector('#a').addEventListener('click', () => {
       lateness.textContent = Math.round(performance.now() - shownAt);
     });`,
  )}`,
  '/late-primary': `<button class="any" id="b" ${clicked}>B</button><main></main>
    ${later(60, `document.querySelector('main').innerHTML = '<button id="a" onclick="document.body.dataset.clicked = this.id">A</button>'`)}`,
  '/hidden': `<button class="x" hidden>1</button><button class="x" style="visibility:hidden">2</button>
    <div style="display:contents"><button class="x" id="seen" ${clicked}>3</button></div><button class="x">4</button>`,
  '/never': `<button id="hidden" hidden>H</button><button id="off" disabled>D</button><input id="locked" readonly>`,
  '/disabled': `<button id="a" disabled ${clicked}>A</button><button id="b" ${clicked}>B</button>
    ${later(300, `document.querySelector('#a').disabled = false`)}`,
  '/veiled': `<button id="a" ${clicked}>A</button><div id="veil" style="position:fixed;inset:0"></div>
    ${later(400, `document.querySelector('#veil').remove()`)}`,
  '/covered': `<button id="a" ${clicked}>A</button><div id="veil" style="position:fixed;inset:0 0 50% 0"></div>
    <button id="b" style="position:fixed;bottom:0" ${clicked}>B</button>`,
  '/scrolled': `<div style="height:100px;overflow:auto"><div style="height:900px"></div>
    <button id="a" ${clicked}>A</button></div><p style="height:900px">below</p>`,
  '/label': `<label><input type="checkbox" id="box" style="opacity:0"> Yes</label>`,
  '/shadow': `<x-card></x-card><script>
    document.querySelector('x-card').attachShadow({ mode: 'open' }).innerHTML =
      '<button id="inner" onclick="document.body.dataset.clicked = this.id">In</button>';</script>`,
  '/moves-on': `<p>wait</p>${later(100, `location.href = '/plain'`)}`,
  '/replaced': `<button id="a">A</button><script>
    const swap = () => { document.querySelector('#a').outerHTML = '<button id="a" ${clicked.replaceAll('"', '&quot;')}>A</button>'; };
    const timer = setInterval(swap, 30); setTimeout(() => clearInterval(timer), 500);</script>`,
  '/gone': `<button id="a">A</button><script>
    document.querySelector('#a').addEventListener('mouseover', (event) => event.target.remove());
    setTimeout(() => document.body.insertAdjacentHTML('beforeend', '<button id="b" ${clicked.replaceAll('"', '&quot;')}>B</button>'), 50);</script>`,
});

const open = (path: string): ShortStep => ['navigate', { url: site.url(path) }];
const isClicked = (id: string): ShortStep => [
  'assertion',
  { selector: `body[data-clicked=${id}] #${id}`, value: id.toUpperCase() },
];

describe('finding an element', () => {
  it('takes the first selector that matches, in the order given', async () => {
    const { result } = await site.run([
      open('/plain'),
      ['click', { selector: '#a', selectors: ['#b'] }],
      isClicked('a'),
    ]);
    expect(result.status).toBe('passed');
    expect(result.stepsResult[1]).toMatchObject({ logs: 'Clicked #a' });
    expect(result.stepsResult[1]).not.toHaveProperty('healed');
  });

  it('takes a fallback when those before it match nothing, and reports it as healed', async () => {
    const { result } = await site.run([
      open('/plain'),
      ['click', { selector: '#old', selectors: ['#older', 'text=Nowhere', '#b'] }],
      isClicked('b'),
    ]);
    expect(result.status).toBe('passed');
    expect(result.stepsResult[1]).toMatchObject({
      logs: 'Clicked #b, because #old was not there',
      healed: { selector: '#b', insteadOf: '#old' },
    });
    // Trying them one after the other would cost a time-out of 10 s each.
    expect(result.stepsResult[1]?.durationMs).toBeLessThan(3_000);
  });

  it('prefers the primary one when that appears a moment after a fallback', async () => {
    const { result } = await site.run([
      open('/late-primary'),
      ['click', { selector: '#a', selectors: ['.any'] }],
      isClicked('a'),
    ]);
    expect(result.status).toBe('passed');
    expect(result.stepsResult[1]).not.toHaveProperty('healed');
  });

  it.each([
    '#b.two',
    'text=B',
    '//button[2]',
    'role=button[name="B"]',
    'button >> nth=1',
    'button:has-text("B")',
    '"B"',
  ])('understands %s', async (selector) => {
    const { result } = await site.run([
      open('/plain'),
      ['click', { selector, timeoutMs: 3_000 }],
      isClicked('b'),
    ]);
    expect(result.stepsResult.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
  });

  it('takes the first visible one of several, and says which', async () => {
    const { result } = await site.run([
      open('/hidden'),
      ['click', { selector: '.x' }],
      ['assertion', { selector: 'body[data-clicked=seen] #seen', value: '3' }],
    ]);
    expect(result.status).toBe('passed');
    expect(result.stepsResult[1]?.logs).toBe('Clicked .x (third of 4)');
  });

  it('sees into shadow trees, and through labels', async () => {
    const inner = await site.run([
      open('/shadow'),
      ['click', { selector: '#inner' }],
      ['extract', { selector: 'x-card button', variable: 'TEXT' }],
    ]);
    expect(inner.result.stepsResult[2]?.extracted?.value).toBe('In');
    const box = await site.run([
      open('/label'),
      ['click', { selector: '#box', timeoutMs: 3_000 }],
      ['extract', { selector: '#box:checked', variable: 'TEXT', timeoutMs: 500 }],
    ]);
    expect(box.result.status).toBe('passed');
  });

  it('scrolls to what is out of sight without waiting for it to be uncovered', async () => {
    const { result } = await site.run([open('/scrolled'), ['click', { selector: '#a' }], isClicked('a')]);
    expect(result.status).toBe('passed');
    expect(result.stepsResult[1]?.durationMs).toBeLessThan(800);
  });
});

describe('waiting for an element', () => {
  it('acts within a few frames of its appearance', async () => {
    const lateness: number[] = [];
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const { result } = await site.run([
        open('/late'),
        ['click', { selector: '#a' }],
        ['extract', { selector: '#lateness', variable: 'LATENESS' }],
      ]);
      lateness.push(Number(result.stepsResult[2]?.extracted?.value || Number.POSITIVE_INFINITY));
    }
    // Playwright alone looks again after up to 500 ms.
    expect(Math.min(...lateness)).toBeLessThan(200);
  });

  it('waits until a button is enabled, rather than taking a fallback at once', async () => {
    const { result } = await site.run([
      open('/disabled'),
      ['click', { selector: '#a', selectors: ['#b'] }],
      isClicked('a'),
    ]);
    expect(result.status).toBe('passed');
  });

  it('waits until nothing covers the element', async () => {
    const { result } = await site.run([open('/veiled'), ['click', { selector: '#a' }], isClicked('a')]);
    expect(result.status).toBe('passed');
  });

  it('goes on in the next page when the one it looked at was left', async () => {
    const { result } = await site.run([open('/moves-on'), ['click', { selector: '#b' }], isClicked('b')]);
    expect(result.status).toBe('passed');
  });

  it('bears elements that are replaced again and again', async () => {
    const { result } = await site.run([open('/replaced'), ['click', { selector: '#a' }]]);
    expect(result.status).toBe('passed');
  });

  it('takes a fallback when the element stays covered', async () => {
    const { result } = await site.run([
      open('/covered'),
      ['click', { selector: '#a', selectors: ['#b'], timeoutMs: 5_000 }],
      isClicked('b'),
    ]);
    expect(result.status).toBe('passed');
    expect(result.stepsResult[1]?.healed).toEqual({
      selector: '#b',
      insteadOf: '#a',
      proposed: ['#b', '#a'],
    });
    expect(result.stepsResult[1]?.durationMs).toBeLessThan(3_000);
  });

  it('takes a fallback when the element goes away under the pointer', async () => {
    const { result } = await site.run([
      open('/gone'),
      ['click', { selector: '#a', selectors: ['#b'], timeoutMs: 8_000 }],
    ]);
    expect(result.stepsResult[1]?.error).toBeUndefined();
    expect(result.status).toBe('passed');
  });
});

describe('an element that is not to be had', () => {
  const failing = async (path: string, step: ShortStep) => {
    const { result } = await site.run([open(path), step]);
    expect(result.status).toBe('failed');
    return result.stepsResult[1];
  };

  it('is reported with what every selector matched, after one time-out for all', async () => {
    const step = await failing('/never', [
      'click',
      { selector: '#x', selectors: ['#hidden', 'text=Q'], timeoutMs: 400 },
    ]);
    expect(step).toMatchObject({
      errorKind: 'not_found',
      error:
        'no element was found within 400 ms: #x matched nothing; #hidden matched 1 element, which is hidden; text=Q matched nothing',
    });
    expect(step?.durationMs).toBeLessThan(1_200);
  });

  it('is told apart from one that is not ready', async () => {
    expect(await failing('/never', ['click', { selector: '#off', timeoutMs: 300 }])).toMatchObject({
      errorKind: 'not_actionable',
      error: 'no element was ready within 300 ms: #off is disabled',
    });
    expect(
      await failing('/never', ['type', { selector: '#locked', value: 'x', timeoutMs: 300 }]),
    ).toMatchObject({
      errorKind: 'not_actionable',
      error: 'no element was ready within 300 ms: #locked is read-only',
    });
    expect(await failing('/covered', ['click', { selector: '#a', timeoutMs: 3_000 }])).toMatchObject({
      errorKind: 'not_actionable',
      error: expect.stringContaining('veil'),
    });
    expect(await failing('/plain', ['type', { selector: '#a', value: 'x', timeoutMs: 5_000 }])).toMatchObject(
      {
        errorKind: 'not_actionable',
        error: expect.stringContaining('Element is not an <input>'),
      },
    );
  });

  it('does not hide that a selector is malformed, and does not wait when all of them are', async () => {
    const some = await site.run([
      open('/plain'),
      ['click', { selector: 'div[', selectors: ['#b'] }],
      isClicked('b'),
    ]);
    expect(some.result.status).toBe('passed');
    const all = await failing('/plain', ['click', { selector: 'div[', selectors: ['foo=bar'] }]);
    expect(all).toMatchObject({
      errorKind: 'invalid_data',
      error: expect.stringMatching(/^div\[ is no valid selector/),
    });
    expect(all?.durationMs).toBeLessThan(3_000);
    const one = await failing('/plain', ['click', { selector: 'div[', selectors: ['#x'], timeoutMs: 300 }]);
    expect(one).toMatchObject({
      errorKind: 'not_found',
      error: expect.stringContaining('div[ is no valid selector'),
    });
  });
});
