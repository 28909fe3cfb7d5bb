import { describe, expect, it } from 'vitest';
import { browserTests, type RunSeen, type ShortStep } from '../support/flow-in-browser.ts';
import { html } from '../support/site.ts';

const elsewhere = (path: string): string => site.url(path).replace('127.0.0.1', 'localhost');
const button =
  '<button id="go" onclick="document.querySelector(\'#title\').textContent += \'!\'">go</button>';

const site = browserTests({
  '/leaf': (response, url) => html(response, `<h1 id="title">${url.searchParams.get('name')}</h1>${button}`),
  '/framed': (response) =>
    html(
      response,
      `<h1 id="title">Page</h1>
      <iframe id="first" name="one" src="/leaf?name=One"></iframe>
      <iframe id="second" name="two" src="/nested"></iframe>
      <iframe class="third" src="${elsewhere('/leaf?name=Foreign')}"></iframe>`,
    ),
  '/nested': (response) =>
    html(
      response,
      `<h1 id="title">Nested</h1>
      <iframe name="inner" src="${elsewhere('/leaf?name=Inner')}"></iframe>
      <a id="on" href="/leaf?name=Moved">on</a>`,
    ),
  '/late': `<h1 id="title">Late</h1><script>setTimeout(() => {
      document.body.insertAdjacentHTML('beforeend', '<iframe name="late" src="/late-nested"></iframe>'); }, 400)</script>`,
  '/late-nested': `<script>setTimeout(() => {
      document.body.insertAdjacentHTML('beforeend', '<iframe src="/leaf?name=Deep"></iframe>'); }, 300)</script>`,
  '/silent-frame':
    '<h1 id="title">Silent</h1><iframe name="mute" src="/never"></iframe><iframe name="one" src="/leaf?name=One"></iframe>',
  '/never': () => {},
  // Draws its frame anew after a moment, and again each time it is told to.
  '/redraws': `<h1 id="title">Redraws</h1><button id="again" onclick="draw()">again</button><div id="place"></div><script>
      let times = 0;
      function draw() { place.innerHTML = '<iframe name="it" src="/leaf?name=Drawn' + (times += 1) + '"></iframe>'; }
      draw();
      if (location.search !== '') setTimeout(draw, 400);</script>`,
  // Its frame closes itself by a button in it.
  '/modal': `<h1 id="title">Under</h1><iframe name="modal" srcdoc="<button id='close' onclick='parent.document.querySelector(&quot;iframe&quot;).remove()'>close</button>"></iframe>`,
  '/shadow': `<div id="host"></div><script>
      host.attachShadow({ mode: 'open' }).innerHTML = '<iframe id="in-shadow" src="/leaf?name=Shadow"></iframe>';</script>`,
  '/set': (response) =>
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end(
        '<frameset cols="50%,50%"><frame name="left" src="/leaf?name=Left"><frame name="right" src="/leaf?name=Right"></frameset>',
      ),
  '/hidden':
    '<iframe name="unseen" style="display:none" src="/leaf?name=Unseen"></iframe><iframe name="seen" src="/leaf?name=Seen"></iframe>',
  '/hash': `<h1 id="title">Hash</h1><iframe name="it" src="/leaf?name=It"></iframe><script>setInterval(() => { location.hash += 'x'; }, 50)</script>`,
});

const open = (path: string): ShortStep => ['navigate', { url: site.url(path), timeoutMs: 5_000 }];
const title = (value: string, more: object = {}): ShortStep => [
  'assertion',
  { selector: '#title', value, timeoutMs: 4_000, ...more },
];
const into = (frame: unknown): ShortStep => ['frame', { frame, timeoutMs: 4_000 }];
const errors = ({ result }: RunSeen) => result.stepsResult.map(({ error }) => error ?? null);
const passed = (seen: RunSeen) => expect(errors(seen)).toEqual(errors(seen).map(() => null));

describe('the frame of a step', () => {
  it.each([
    ['its place', [0], 'One'],
    ['places', [1, 0], 'Inner'],
    ['its place as Selenium writes it', ['index=1', 'index=0'], 'Inner'],
    ['a selector', ['#first'], 'One'],
    ['a name', ['name=two', 'name=inner'], 'Inner'],
    ['a bare name', ['two', 'inner'], 'Inner'],
    ['an id', ['id=second'], 'Nested'],
    ['a selector of any language', ['xpath=//iframe[@name="one"]'], 'One'],
    ['a selector and a place', ['css=iframe.third'], 'Foreign'],
    ['nothing, for the page itself', [], 'Page'],
  ])('is found by %s', async (_, frame, expected) => {
    const seen = await site.run([
      open('/framed'),
      title(expected, { frame }),
      ['click', { selector: '#go', frame: expected === 'Page' || expected === 'Nested' ? [0] : frame }],
      title(expected === 'Page' || expected === 'Nested' ? expected : `${expected}!`, { frame }),
      title('Page'),
    ]);
    passed(seen);
  });

  it('is waited for, each part of the way to it', async () => {
    passed(await site.run([open('/late'), title('Deep', { frame: ['late', 0] }), title('Late')]));
  });

  it('is found in a shadow root, in a set of frames, where it is hidden, and beside one that never loads', async () => {
    passed(await site.run([open('/shadow'), title('Shadow', { frame: ['#in-shadow'] })]));
    passed(
      await site.run([open('/set'), title('Right', { frame: ['right'] }), title('Left', { frame: [0] })]),
    );
    passed(await site.run([open('/hidden'), title('Seen', { frame: [1] }), into('unseen')]));
    passed(
      await site.run([
        ['navigate', { url: site.url('/silent-frame'), waitUntil: 'commit' }],
        title('One', { frame: ['one'] }),
      ]),
    );
  });

  it('is told, with those that are there, when it does not come', async () => {
    const { result } = await site.run([
      open('/framed'),
      title('One', { frame: ['two', 'nope'], timeoutMs: 400 }),
    ]);
    expect(result.stepsResult[1]).toMatchObject({
      errorKind: 'not_found',
      error: `there was no frame nope within 400 ms; there were: 0 "inner" ${elsewhere('/leaf?name=Inner')}`,
    });
    const bare = await site.run([open('/leaf?name=x'), title('One', { frame: [0], timeoutMs: 300 })]);
    expect(bare.result.stepsResult[1]?.error).toBe('there was no frame 0 within 300 ms; it has no frames');
    const wrong = await site.run([open('/framed'), title('One', { frame: ['iframe['], timeoutMs: 5_000 })]);
    expect(wrong.result.stepsResult[1]).toMatchObject({ errorKind: 'invalid_data' });
    expect(wrong.result.durationMs).toBeLessThan(4_000);
  });

  it('is looked for anew when it was replaced while the step looked in it', async () => {
    passed(await site.run([open('/redraws?soon'), title('Drawn2', { frame: ['it'] })]));
  });
});

describe('a frame the flow has gone into', () => {
  it('is where its steps act until it goes elsewhere: inwards, out, and to the page', async () => {
    const seen = await site.run([
      open('/framed'),
      into('two'),
      title('Nested'),
      into(0),
      title('Inner'),
      ['click', { selector: '#go' }],
      title('Inner!'),
      ['frame', { to: 'parent' }],
      title('Nested'),
      ['frame', { to: 'parent' }],
      title('Page'),
      ['frame', { to: 'parent' }],
      title('Page'),
      into(['name=two', 0]),
      title('Inner!'),
      ['frame', { to: 'main' }],
      title('Page'),
      ['frame', { to: 'main', frame: 'one' }],
      title('One'),
    ]);
    passed(seen);
    expect(seen.result.stepsResult[13]?.logs).toBe('Went on in the frame name=two > 0');
  });

  it('stays while it goes to another address itself, and ends with the document of its page', async () => {
    const seen = await site.run([
      open('/framed'),
      into('two'),
      ['click', { selector: '#on' }],
      title('Moved'),
      open('/framed'),
      title('Page'),
    ]);
    passed(seen);
    passed(await site.run([open('/framed'), into('one'), ['reload', {}], title('Page')]));
  });

  it('stays when only the fragment of the address of its page changes', async () => {
    passed(await site.run([open('/hash'), into('it'), ['wait', { ms: 200 }], title('It')]));
  });

  it('is found again when its page drew it anew', async () => {
    const seen = await site.run([
      open('/redraws'),
      into('it'),
      title('Drawn1'),
      ['click', { selector: '#again', frame: [] }],
      title('Drawn2'),
    ]);
    passed(seen);
  });

  it('may take itself away by what is clicked in it', async () => {
    const seen = await site.run([
      open('/modal'),
      into('modal'),
      ['click', { selector: '#close' }],
      ['frame', { to: 'main' }],
      title('Under'),
    ]);
    passed(seen);
  });

  it('belongs to its page: another page has its own', async () => {
    const seen = await site.run([
      open('/framed'),
      into('one'),
      ['openPage', { url: site.url('/leaf?name=Other'), name: 'other' }],
      title('Other'),
      ['switchPage', { page: 'main' }],
      title('One'),
      title('Other', { page: 'other' }),
    ]);
    passed(seen);
  });
});
