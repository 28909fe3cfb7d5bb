import { describe, expect, it } from 'vitest';
import { browserTests, type ShortStep } from '../../support/flow-in-browser.ts';

const site = browserTests({
  '/still': `
    <h1>Here</h1><p id="dark" hidden>in the dark</p>
    <button id="dead" disabled data-kind="a">No</button><input id="fixed" readonly value="v">
    <input id="on" type="checkbox" checked style="opacity:0">
    <i class="row" data-n="1" title="first">one</i><i class="row" data-n="2">two</i><i class="row" hidden>three</i>
    <a id="link" href="/x" style="color:red">x</a>`,
  '/late': `<title>Early</title><div id="box"><p id="old">old</p><button id="go" disabled>Go</button></div>
    <script>
      setTimeout(() => {
        document.querySelector('#old').remove();
        document.querySelector('#go').disabled = false;
        document.querySelector('#box').insertAdjacentHTML('beforeend', '<b class="new">1</b><b class="new">2</b>');
        document.title = 'Late';
        history.pushState(null, '', '/moved?to=1');
        window.isReady = true;
      }, 300);
    </script>`,
  '/moving': `<button id="it" style="position:relative">It</button>
    <script>
      const startedAt = performance.now();
      (function move() {
        const passed = performance.now() - startedAt;
        document.querySelector('#it').style.left = Math.min(passed, 400) + 'px';
        if (passed < 400) requestAnimationFrame(move); else window.stoodStill = true;
      })();
    </script>`,
  '/leaves': `<p>first</p><script>setTimeout(() => { location.href = '/arrived'; }, 150);</script>`,
  '/arrived': `<p id="here">second page</p>`,
  '/slow': `<p id="early">early</p><img src="/image">`,
  '/image': (response) => void setTimeout(() => response.writeHead(404).end(), 500),
});

function open(path: string): ShortStep {
  return ['navigate', { url: site.url(path) }];
}

/** How the only wait of a run ended: null where it came. */
async function waited(path: string, fields: Record<string, unknown>) {
  const { result } = await site.run([open(path), ['waitFor', { timeoutMs: 1_500, ...fields }]]);
  const [, step] = result.stepsResult;
  return step?.error === undefined ? null : [step.errorKind, step.error];
}

describe('waiting', () => {
  it('ends at once where all is so already', async () => {
    const waits: Record<string, unknown>[] = [
      { selector: 'h1' },
      { selector: '#dark', state: 'hidden' },
      { selector: '#nowhere', state: 'hidden' },
      { selector: '#nowhere', state: 'detached' },
      { selector: '#dark', state: 'attached' },
      { selector: '#dead', state: 'disabled' },
      { selector: '#fixed', state: 'readonly' },
      { selector: '#fixed', state: 'enabled' },
      { selector: '#on', state: 'checked' },
      { selector: '#on', state: 'unchecked', negate: true },
      { selector: 'h1', state: 'stable' },
      { selector: '.row', count: 3 },
      { selector: '.row', count: 2 },
      { selector: '.row', count: 2, operator: '==', state: 'visible' },
      { selector: '.row', count: 5, operator: '<=' },
      { selector: '#nowhere', count: 0, operator: '==' },
      { selectors: ['#nowhere', '.row'], count: 3, operator: '==' },
      { selector: '.row', attributes: { 'data-n': 2 } },
      { selector: '.row', attributes: { 'data-n': '1', title: 'first' }, count: 1, operator: '==' },
      { selector: '#link', attributes: { style: 'color: red;' } },
      { selector: '#dead', properties: { disabled: true, dataset: { kind: 'a' } } },
      { selector: '#dead', properties: { disabled: 'true', 'dataset.kind': 'a', tabIndex: 0 } },
      { selector: '.row', text: 'two' },
      { selector: '.row', text: '^t(w|h)', match: 'matches', count: 2 },
      { url: '/still', match: 'endsWith', title: 'st', selector: 'h1' },
      { expression: 'document.querySelectorAll(".row").length === 3' },
      { load: 'load' },
      { load: 'networkidle', timeoutMs: 5_000 },
    ];
    for (const fields of waits) {
      if (fields['url'] !== undefined) fields['title'] = 'test';
      if (fields['url'] !== undefined) fields['url'] = site.url('/still');
      expect(await waited('/still', { timeoutMs: 10_000, ...fields }), JSON.stringify(fields)).toBeNull();
    }
  });

  it('lasts until what is waited for comes', async () => {
    const waits: Record<string, unknown>[] = [
      { selector: '.new' },
      { selector: 'xpath=//b', count: 2 },
      { selectors: ['xpath=//b', '.new'], count: 2 },
      { selector: '#old', state: 'detached' },
      { selector: '#old', state: 'hidden' },
      { selector: '#old', negate: true },
      { selector: '#go', state: 'enabled' },
      { selector: '#go', properties: { disabled: false } },
      { selector: '.new', text: '2' },
      { title: 'Late' },
      { url: '/moved', match: 'contains' },
      { expression: 'window.isReady' },
      { expression: 'window.isReady', selector: '.new', title: 'Late' },
    ];
    for (const fields of waits) {
      expect(await waited('/late', { ...fields, timeoutMs: 5_000 }), JSON.stringify(fields)).toBeNull();
    }
  });

  it('lasts until an element stands still', async () => {
    const { result } = await site.run([
      open('/moving'),
      ['waitFor', { selector: '#it', state: 'stable' }],
      ['assertion', { subject: 'expression', expression: 'window.stoodStill', timeoutMs: 100 }],
    ]);
    expect(result.stepsResult.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
  });

  it('goes on in the next page', async () => {
    for (const fields of [
      { selector: '#here' },
      { url: '/arrived', match: 'endsWith' },
      { expression: 'here' },
    ]) {
      expect(await waited('/leaves', { ...fields, timeoutMs: 5_000 }), JSON.stringify(fields)).toBeNull();
    }
  });

  it('knows how far a page has loaded', async () => {
    const { result } = await site.run([
      ['navigate', { url: site.url('/slow'), waitUntil: 'commit' }],
      ['waitFor', { load: 'load' }],
      ['assertion', { subject: 'expression', expression: 'document.readyState', value: 'complete' }],
    ]);
    expect(result.status).toBe('passed');
  });

  it.each<[Record<string, unknown>, string, string]>([
    [{ selector: '#nowhere' }, 'not_found', '#nowhere matched nothing within 1.5 s'],
    [{ selector: '#dark' }, 'timeout', '#dark matched 1 element, but it was hidden within 1.5 s'],
    [{ selector: 'h1', state: 'hidden' }, 'timeout', 'h1 was still to be seen within 1.5 s'],
    [{ selector: '#dark', state: 'detached' }, 'timeout', '#dark was still there within 1.5 s'],
    [
      { selector: '#dead', state: 'enabled' },
      'timeout',
      '#dead matched 1 element, but it was not enabled within 1.5 s',
    ],
    [
      { selector: '.row', count: 4 },
      'timeout',
      '.row matched 3 elements, 3 as expected instead of at least 4 within 1.5 s',
    ],
    [
      { selector: 'h1', text: 'There' },
      'timeout',
      'expected the text "There", got "Here" in h1 within 1.5 s',
    ],
    [
      { selector: '#dead', attributes: { 'data-kind': 'b' } },
      'timeout',
      '#dead matched 1 element, not one as expected; the first has data-kind "a" within 1.5 s',
    ],
    [{ title: 'Home' }, 'timeout', 'expected the title to be "Home", got "test" within 1.5 s'],
    [{ expression: '0' }, 'timeout', 'the expression was not true within 1.5 s'],
    [
      { expression: 'nothing.x' },
      'timeout',
      'the expression was not true: it threw ReferenceError: nothing is not defined within 1.5 s',
    ],
    [{ selector: 'h1', negate: true }, 'timeout', 'what was not to be so any more was still so within 1.5 s'],
    [{ load: 'networkidle', negate: true }, 'invalid_data', 'negate: networkidle cannot be turned round'],
  ])('says what did not come: %j', async (fields, kind, message) => {
    expect(await waited('/still', fields)).toEqual([kind, message]);
  });

  it('does not wait for a selector that means nothing', async () => {
    const [kind, message] = (await waited('/still', { selector: 'a[', timeoutMs: 20_000 })) ?? [];
    expect(kind).toBe('invalid_data');
    expect(message).toMatch(/^a\[ is no valid selector/);
  });
});
