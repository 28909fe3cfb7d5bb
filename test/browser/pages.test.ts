import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NetworkRules } from '../../src/browser/egress/network-rules.ts';
import type { RunPage } from '../../src/browser/run-page.ts';
import { parseHostPattern } from '../../src/lib/host-pattern.ts';
import { browserTests, type RunSeen, type ShortStep } from '../support/flow-in-browser.ts';
import { html, type Site, startSite } from '../support/site.ts';

const popup = (path: string): string => `window.open('${path}')`;

let inside: Site;
beforeAll(async () => {
  inside = await startSite({ '/': 'inside' }, '127.0.0.3');
});
afterAll(() => inside.close());

const site = browserTests({
  '/': (response) =>
    html(
      response,
      `<h1 id="title">Home</h1>
      <button id="shop" onclick="${popup('/shop?from=home')}">shop</button>
      <button id="late" onclick="setTimeout(() => ${popup('/shop')}, 400)">late</button>
      <button id="slow" onclick="${popup('/slow')}">slow</button>
      <button id="apart" onclick="window.open('/shop', '_blank', 'noopener')">apart</button>
      <button id="asks" onclick="${popup('/asks')}">asks</button>
      <button id="refused" onclick="window.open('${inside.url}/')">refused</button>
      <button id="tunnel" onclick="window.open('${inside.url.replace('http:', 'https:')}/')">tunnel</button>
      <button id="nothing">nothing</button>
      <button id="leave" onclick="window.close()">leave</button>`,
    ),
  '/shop': `<h1 id="title">Shop</h1><button id="close" onclick="window.close()">close</button>
    <button id="deeper" onclick="${popup('/deeper')}">deeper</button>
    <button id="home">home</button>
    <script>addEventListener('keydown', (event) => { if (event.key === 'x') window.close(); });</script>`,
  '/deeper': '<h1 id="title">Deeper</h1><button id="close" onclick="window.close()">close</button>',
  '/slow': (response) => {
    setTimeout(() => html(response, '<h1 id="title">Slow</h1>'), 300);
  },
  '/asks': `<script>onload = () => { answer.textContent = confirm('Sure?'); }</script><p id="answer"></p>`,
  '/bomb': `<h1 id="title">Bomb</h1><button id="go" onclick="for (let i = 0; i < 30; i++) window.open('/shop')">go</button>`,
  '/counted': (response) => {
    loads += 1;
    html(response, `<p id="count">${loads}</p>`);
  },
  '/where': (response) => html(response, `<p id="from">${response.req.headers.referer ?? 'nowhere'}</p>`),
  '/half': (response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).write('<h1 id="title">Half</h1>');
  },
  '/states': `<h1 id="title">One</h1><button id="go" onclick="history.pushState({}, '', '/states?two'); document.querySelector('#title').textContent = 'Two'">go</button>
    <script>onpopstate = () => { document.querySelector('#title').textContent = location.search === '' ? 'One' : 'Two'; };</script>`,
});
let loads = 0;

const open = (path: string): ShortStep => ['navigate', { url: site.url(path), timeoutMs: 5_000 }];
const click = (selector: string, more: object = {}): ShortStep => ['click', { selector, ...more }];
const title = (value: string, more: object = {}): ShortStep => [
  'assertion',
  { selector: '#title', value, timeoutMs: 3_000, ...more },
];
const switchTo = (page: string, more: object = {}): ShortStep => ['switchPage', { page, ...more }];
const errors = ({ result }: RunSeen) => result.stepsResult.map(({ error }) => error ?? null);
const logs = ({ result }: RunSeen) => result.stepsResult.map((step) => step.logs ?? step.error);
const passed = (seen: RunSeen) => expect(errors(seen)).toEqual(errors(seen).map(() => null));

describe('a page that a step opens', () => {
  it('is waited for by `opens`, has that name, and the flow stays where it is', async () => {
    const seen = await site.run([
      open('/'),
      click('#shop', { opens: 'shop' }),
      title('Home'),
      title('Shop', { page: 'shop' }),
      title('Home'),
    ]);
    passed(seen);
    expect(seen.result.stepsResult[1]?.logs).toBe(
      `Clicked #shop; it opened ${site.url('/shop?from=home')} as "shop"`,
    );
  });

  it.each(['#late', '#slow', '#apart'])(
    'is waited for when it comes late or knows nothing of its opener: %s',
    async (button) => {
      const seen = await site.run([
        open('/'),
        click(button, { opens: 'it' }),
        switchTo('it'),
        title(button === '#slow' ? 'Slow' : 'Shop'),
      ]);
      passed(seen);
    },
  );

  it('is the one that this step opened, not one that was open before', async () => {
    const seen = await site.run([
      open('/'),
      click('#shop', { opens: 'first' }),
      click('#slow', { opens: 'second' }),
      title('Slow', { page: 'second' }),
      title('Shop', { page: 'first' }),
    ]);
    passed(seen);
  });

  it('fails its step when it does not come', async () => {
    const { result } = await site.run([open('/'), click('#nothing', { opens: 'it', timeoutMs: 400 })]);
    expect(result.stepsResult[1]).toMatchObject({
      errorKind: 'timeout',
      error: 'no page was opened within 400 ms',
    });
  });

  it.each(['#refused', '#tunnel'])('fails its step when the rules refuse its address: %s', async (button) => {
    const rules: NetworkRules = {
      profile: 'lan',
      allowHosts: [parseHostPattern(new URL(site.url('/')).host)],
      onlyLists: [],
    };
    const { host } = new URL(inside.url);
    const blocked = { errorKind: 'blocked', error: expect.stringContaining(`${host} was not opened: `) };
    const waited = await site.run([open('/'), click(button, { opens: 'it' })], { rules });
    expect(waited.result.stepsResult[1]).toMatchObject(blocked);
    const gone = await site.run([open('/'), click(button), switchTo('1')], { rules });
    expect(gone.result.stepsResult.map(({ status }) => status)).toEqual(['passed', 'passed', 'failed']);
    expect(gone.result.stepsResult[2]).toMatchObject(blocked);
    const added = await site.run([open('/'), ['openPage', { url: `${inside.url}/` }]], { rules });
    expect(added.result.stepsResult[1]).toMatchObject(blocked);
    expect(inside.requests).toEqual([]);
  });

  it('has its dialogs dismissed, too', async () => {
    const seen = await site.run([
      open('/'),
      click('#asks', { opens: 'it' }),
      ['assertion', { selector: '#answer', value: 'false', page: 'it' }],
    ]);
    passed(seen);
  });

  it('is one of five at most that stay open, and a flow may open no more either', async () => {
    let opened: RunPage | null = null;
    const more: ShortStep = ['openPage', {}];
    const seen = await site.run([open('/bomb'), click('#go'), ['wait', { ms: 600 }], title('Bomb'), more], {
      onPage(page) {
        opened = page;
      },
      onEvent({ type, nodeId }) {
        if (type === 'step_start' && nodeId === '4') count = opened?.pages.open().length ?? 0;
      },
    });
    expect(count).toBe(6);
    expect(seen.result.stepsResult[4]).toMatchObject({
      errorKind: 'blocked',
      error: 'a run may have 6 pages open, no more',
    });
  });
  let count = 0;
});

describe('the page a flow is in', () => {
  it('is chosen by name, number, `main`, `latest` and by its address, whole or in part', async () => {
    const seen = await site.run([
      open('/'),
      click('#shop'),
      switchTo('latest', { name: 'shop' }),
      title('Shop'),
      switchTo('main'),
      title('Home'),
      switchTo('1'),
      title('Shop'),
      switchTo('0'),
      title('Home'),
      switchTo('shop'),
      title('Shop'),
      switchTo('main'),
      switchTo('from=home'),
      title('Shop'),
      switchTo(site.url('/')),
      title('Home'),
      title('Shop', { page: site.url('/shop?from=home') }),
      title('Home', { page: 'current' }),
    ]);
    passed(seen);
  });

  it.each(['latest', '1', '/shop'])(
    'is waited for when it is chosen before it opened: %s',
    async (reference) => {
      const seen = await site.run([open('/'), click('#late'), switchTo(reference), title('Shop')]);
      passed(seen);
    },
  );

  it('is meant by its whole address also when an open page has that as a part of its own', async () => {
    const seen = await site.run([
      open('/shop?from=home'),
      ['openPage', { url: site.url('/'), name: 'home' }],
      click('#late'),
      title('Shop', { page: site.url('/shop') }),
      click('#deeper', { page: site.url('/shop'), opens: 'deeper' }),
      ['extract', { subject: 'text', selector: '#title', page: 'deeper', variable: 'x' }],
    ]);
    passed(seen);
  });

  it('is told with all that are open when the one that was asked for does not come', async () => {
    const { result } = await site.run([
      open('/'),
      click('#shop', { opens: 'shop' }),
      switchTo('cart', { timeoutMs: 300 }),
    ]);
    expect(result.stepsResult[2]).toMatchObject({
      errorKind: 'not_found',
      error: `no page cart was open within 300 ms; open: 0 ${site.url('/')}, 1 "shop" ${site.url('/shop?from=home')}`,
    });
  });

  it('is the one before again after it was closed, by a step, by itself, or by a key', async () => {
    const ways: ShortStep[] = [['closePage', {}], click('#close')];
    for (const way of ways) {
      const seen = await site.run([
        open('/'),
        click('#shop', { opens: 'shop' }),
        switchTo('shop'),
        click('#deeper', { opens: 'deeper' }),
        switchTo('deeper'),
        way,
        title('Shop'),
        way,
        title('Home'),
      ]);
      passed(seen);
    }
  });

  it('stays when another page is closed or closes itself', async () => {
    const seen = await site.run([
      open('/'),
      click('#shop', { opens: 'shop' }),
      click('#late', { opens: 'late' }),
      ['closePage', { page: 'shop' }],
      title('Home'),
      click('#close', { page: 'late' }),
      title('Home'),
      switchTo('shop', { timeoutMs: 5_000 }),
    ]);
    expect(
      errors(seen)
        .slice(0, -1)
        .every((error) => error === null),
    ).toBe(true);
    expect(seen.result.stepsResult.at(-1)).toMatchObject({
      errorKind: 'not_found',
      error: `the page shop was closed; open: 0 ${site.url('/')}`,
    });
  });

  it('may be the first one closed while the flow is in another', async () => {
    const seen = await site.run([
      open('/'),
      click('#shop', { opens: 'shop' }),
      switchTo('shop'),
      ['closePage', { page: 'main' }],
      title('Shop'),
      click('#deeper', { opens: 'deeper' }),
      title('Deeper', { page: 'deeper' }),
    ]);
    passed(seen);
  });

  it('may be closed as the last one: that is no failure, but what needs a page then fails, and a new page may be opened', async () => {
    const closed = await site.run([open('/'), ['closePage', {}]]);
    expect(logs(closed)[1]).toBe(`Closed ${site.url('/')}, the last page`);
    expect(closed.result.status).toBe('passed');
    const used = await site.run([open('/'), ['closePage', {}], ['wait', { ms: 100 }], click('#shop')]);
    expect(used.result.stepsResult[3]).toMatchObject({
      errorKind: 'navigation',
      error: 'the page that the step was about is closed, and no other is open',
      screenshotProblem: 'the page is gone',
    });
    const anew = await site.run([
      open('/'),
      ['closePage', {}],
      ['openPage', { url: site.url('/shop') }],
      title('Shop'),
    ]);
    passed(anew);
  });

  it('ends the run when it closes itself and was the last', async () => {
    const alone = await site.run([
      open('/'),
      click('#shop', { opens: 'shop' }),
      ['closePage', { page: 'main' }],
      switchTo('shop'),
      click('#close'),
      ['wait', { ms: 60_000 }],
    ]);
    expect(alone.result.stepsResult.at(-1)).toMatchObject({
      errorKind: 'navigation',
      error: 'the page closed itself',
    });
    expect(alone.result.durationMs).toBeLessThan(30_000);
  });

  it('may close itself beside others that the flow never was in: the flow has to choose one of them', async () => {
    let opened: RunPage | null = null;
    const closing = {
      onPage(page: RunPage) {
        opened = page;
      },
      async sideEffectsMayBegin() {
        if (opened?.pages.open().length === 2) await opened.page.close();
      },
    };
    const begin: ShortStep[] = [open('/'), click('#shop', { opens: 'shop' })];
    const lost = await site.run([...begin, click('#nothing')], closing);
    expect(lost.result.stepsResult[2]).toMatchObject({
      errorKind: 'navigation',
      error: `the page that the step was about is closed; open: 1 "shop" ${site.url('/shop?from=home')}`,
    });
    const chosen = await site.run(
      [...begin, click('#home', { page: 'shop' }), switchTo('shop'), title('Shop')],
      closing,
    );
    passed(chosen);
  });

  it('may go, and the run goes on, when another page crashes', async () => {
    let opened: RunPage | null = null;
    const seen = await site.run(
      [
        open('/'),
        ['openPage', { url: site.url('/shop').replace('127.0.0.1', 'localhost'), name: 'shop' }],
        switchTo('main'),
        ['wait', { ms: 500 }],
        title('Home'),
      ],
      {
        onPage(page) {
          opened = page;
        },
        onEvent({ type, nodeId }) {
          if (type === 'step_start' && nodeId === '4')
            void opened?.pages
              .find('shop')
              ?.goto('chrome://crash')
              .catch(() => {});
        },
      },
    );
    passed(seen);
  });

  it('is not what the picture of a failure shows when the step names another one', async () => {
    const pictured: string[] = [];
    const seen = await site.run(
      [open('/'), click('#shop', { opens: 'shop' }), title('Nothing', { page: 'shop', timeoutMs: 200 })],
      {
        onPage(page) {
          page.context.on('page', (popup) => {
            const screenshot = popup.screenshot.bind(popup);
            popup.screenshot = (options) => {
              pictured.push(popup.url());
              return screenshot(options);
            };
          });
        },
      },
    );
    expect(seen.result.stepsResult[2]).toMatchObject({
      errorKind: 'assertion',
      error: expect.stringContaining('got "Shop"'),
    });
    expect(pictured).toEqual([site.url('/shop?from=home')]);
  });
});

describe('going through the history', () => {
  it('loads the page again, goes back and forward, also within one document', async () => {
    const seen = await site.run([
      open('/counted'),
      ['reload', {}],
      ['assertion', { selector: '#count', value: '2' }],
      open('/'),
      ['back', {}],
      ['assertion', { selector: '#count', value: '2' }],
      ['forward', {}],
      title('Home'),
      open('/states'),
      click('#go'),
      title('Two'),
      ['back', {}],
      title('One'),
      ['forward', {}],
      title('Two'),
    ]);
    passed(seen);
  });

  it('fails where there is no page to go to', async () => {
    const { result } = await site.run([open('/'), ['forward', { timeoutMs: 2_000 }]]);
    expect(result.stepsResult[1]).toMatchObject({
      errorKind: 'navigation',
      error: 'there is no page to go forward to',
    });
  });
});

describe('opening an address', () => {
  it('sends the referer, and waits for as much of the page as it is told', async () => {
    const referer = site.url('/from');
    const seen = await site.run([
      ['navigate', { url: site.url('/where'), referer }],
      ['assertion', { selector: '#from', value: referer }],
      ['navigate', { url: site.url('/half'), waitUntil: 'commit', timeoutMs: 3_000 }],
      title('Half'),
    ]);
    passed(seen);
  });

  it('happens in the page that is named, without leaving the one the flow is in', async () => {
    const seen = await site.run([
      open('/'),
      ['openPage', { name: 'other' }],
      switchTo('main'),
      ['navigate', { url: site.url('/shop'), page: 'other' }],
      title('Home'),
      title('Shop', { page: 'other' }),
    ]);
    passed(seen);
  });
});
