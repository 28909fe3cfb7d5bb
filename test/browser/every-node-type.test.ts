import { describe, expect, it } from 'vitest';
import { filesIn } from '../../src/browser/step/run-files.ts';
import { type NodeType, nodeTypes } from '../../src/flow/node-types/node-types.ts';
import { CancelledError } from '../../src/lib/errors.ts';
import { drawnFlow } from '../support/drawn-flow.ts';
import { browserTests, type RunSeen } from '../support/flow-in-browser.ts';
import { secretsOf } from '../support/secret.ts';
import { html } from '../support/site.ts';
import { tempFolder } from '../support/temp-folder.ts';

// One control of every kind; what happens to them is told in #out, as `click@b`.
const controls = `
  <button id="b">Go</button> <button id="ask">Ask</button> <a id="file" href="/file">File</a> <input id="i" value="was">
  <select id="s"><option>one</option><option>two</option></select> <input id="c" type="checkbox"> <input id="u" type="file">
  <form id="f"><input name="q"><button>Send</button></form>
  <div id="d" style="width:40px;height:40px;background:red">d</div>
  <div id="t" style="width:40px;height:40px;background:blue">t</div>
  <div id="box" style="height:40px;width:80px;overflow:auto"><div style="height:900px"></div></div>
  <table id="tab"><tr><th>Tea</th></tr><tr><td>Mint</td></tr></table><output id="out"></output>`;

const wire = `
  function wire(root) {
    const out = root.querySelector('#out');
    const heard = new Set();
    for (const type of ['click', 'mouseover', 'mousedown', 'mouseup', 'scroll', 'focusin', 'input', 'change', 'keydown', 'keyup', 'submit']) {
      root.addEventListener(type, (event) => {
        if (type === 'submit') event.preventDefault();
        const one = type + '@' + event.target.id;
        if (!heard.has(one)) out.textContent += ' ' + one;
        heard.add(one);
      }, true);
    }
    root.querySelector('#ask').onclick = () => { out.textContent += ' answered:' + confirm('Sure?'); };
  }`;
const script = (text: string): string => `<script>${wire}${text}</script>`;

const site = browserTests({
  '/page': `${controls}${script('wire(document)')}`,
  '/framing': '<p>around</p><iframe id="it" src="/page" width="700" height="600"></iframe>',
  '/nested': '<iframe id="outer" src="/framing" width="900" height="800"></iframe>',
  '/shadow': `<x-out></x-out>${script(`
    const outer = document.querySelector('x-out').attachShadow({ mode: 'open' });
    outer.innerHTML = '<section><x-in></x-in></section>';
    const inner = outer.querySelector('x-in').attachShadow({ mode: 'open' });
    inner.innerHTML = ${JSON.stringify(controls)};
    wire(inner);`)}`,
  // Nothing at first, then all of it hidden, then drawn anew as it is seen.
  '/late': `<main></main>${script(`
    const main = document.querySelector('main');
    const draw = (style) => { main.innerHTML = '<div style="' + style + '">' + ${JSON.stringify(controls)} + '</div>'; };
    setTimeout(() => {
      draw('display:none');
      // Forms that are hidden can be sent, and file fields be filled.
      for (const each of main.querySelectorAll('form, [type=file]')) each.remove();
    }, 150);
    setTimeout(() => { draw(''); wire(main); }, 350);`)}`,
  '/late-frame': `<div></div><script>
    const put = () => { document.querySelector('div').innerHTML = '<iframe id="it" src="/page" width="700" height="600"></iframe>'; };
    setTimeout(put, 200);
  </script>`,
  '/file': (response) =>
    response.writeHead(200, { 'content-disposition': 'attachment; filename="tea.txt"' }).end('Mint'),
  '/never': () => {},
  // Answers its first visitor only.
  '/once': (response) => {
    if (site.requests().filter((path) => path === '/once').length === 1) html(response, '<p>once</p>');
  },
  '/busy': '<script>setTimeout(() => { for (;;); }, 50)</script>',
});

type Fields = Record<string, unknown>;
type Drawn = readonly [type: string, data: Fields];

/** The controls in each of the settings; the fields lead a step there. */
const settings: Readonly<Record<string, readonly [path: string, at: Fields]>> = {
  'the page': ['/page', {}],
  'nested frames': ['/nested', { frame: [0, 'css=#it'] }],
  'nested shadow roots': ['/shadow', {}],
  'a page that draws it late': ['/late', {}],
  'a frame that comes late': ['/late-frame', { frame: [0] }],
};

const heard = (value: string, at: Fields): Drawn => [
  'assertion',
  { selector: '#out', match: 'contains', value, timeoutMs: 4_000, ...at },
];
const has = (selector: string, more: Fields, at: Fields): Drawn => [
  'assertion',
  { selector, timeoutMs: 4_000, ...more, ...at },
];

/** Types that have to do with something in a page or frame: steps with that type, and what must have come of them. */
const inPage: Partial<Record<NodeType, (at: Fields) => readonly Drawn[]>> = {
  click: (at) => [['click', { selector: '#b', ...at }], heard('click@b', at)],
  hover: (at) => [['hover', { selector: '#b', ...at }], heard('mouseover@b', at)],
  drag: (at) => [
    ['drag', { selector: '#d', toSelector: '#t', ...at }],
    heard('mousedown@d', at),
    heard('mouseup@t', at),
  ],
  mouse: (at) => [
    ['mouse', { selector: '#d', action: 'down', ...at }],
    ['mouse', { selector: '#t', action: 'move', ...at }],
    ['mouse', { action: 'up' }],
    heard('mousedown@d', at),
    heard('mouseup@t', at),
  ],
  scroll: (at) => [
    ['scroll', { selector: '#box', y: 300, ...at }],
    has('#box', { subject: 'property', property: 'scrollTop', value: '300' }, at),
    heard('scroll@box', at),
  ],
  focus: (at) => [
    ['focus', { selector: '#i', ...at }],
    has('#i', { subject: 'focused' }, at),
    heard('focusin@i', at),
  ],
  type: (at) => [
    ['type', { selector: '#i', value: 'tea', ...at }],
    has('#i', { subject: 'value', value: 'tea' }, at),
    ['type', { selector: '#i', value: ' x', how: 'append', ...at }],
    has('#i', { subject: 'value', value: 'tea x' }, at),
    heard('keydown@i', at),
    ['type', { selector: '#i', value: 'ab', how: 'keys', ...at }],
    has('#i', { subject: 'value', value: 'ab' }, at),
  ],
  press: (at) => [
    ['press', { selector: '#i', key: 'x', ...at }],
    heard('keydown@i', at),
    heard('keyup@i', at),
  ],
  keyDown: (at) => [['focus', { selector: '#i', ...at }], ['keyDown', { key: 'y' }], heard('keydown@i', at)],
  keyUp: (at) => [
    ['focus', { selector: '#i', ...at }],
    ['keyDown', { key: 'y' }],
    ['keyUp', { key: 'y' }],
    heard('keyup@i', at),
  ],
  select: (at) => [
    ['select', { selector: '#s', value: 'two', ...at }],
    has('#s', { subject: 'selected', value: 'two' }, at),
    heard('change@s', at),
  ],
  check: (at) => [
    ['check', { selector: '#c', ...at }],
    has('#c', { subject: 'checked' }, at),
    heard('change@c', at),
  ],
  submit: (at) => [['submit', { selector: '#f', ...at }], heard('submit@f', at)],
  upload: (at) => [
    ['upload', { selector: '#u', files: [{ name: 'a.txt', text: 'a' }], ...at }],
    has('#u', { subject: 'value', match: 'endsWith', value: 'a.txt' }, at),
    heard('change@u', at),
  ],
  totp: (at) => [
    ['totp', { selector: '#i', secret: 'KEY', ...at }],
    has('#i', { subject: 'value', match: 'matches', value: String.raw`^\d{6}$` }, at),
  ],
  waitFor: (at) => [['waitFor', { selector: '#b', state: 'visible', text: 'Go', ...at }]],
  assertion: (at) => [
    has('#b', { value: 'Go' }, at),
    has('#b', { subject: 'visible' }, at),
    has('#tab td', { subject: 'count', value: '1' }, at),
  ],
  extract: (at) => [
    ['extract', { selector: '#b', variable: 'WORD', ...at }],
    ['assertion', { subject: 'variable', variable: 'WORD', value: 'Go' }],
    ['extract', { selector: '#tab', subject: 'table', variable: 'ROWS', ...at }],
    ['assertion', { subject: 'variable', variable: 'ROWS', match: 'contains', value: 'Mint' }],
  ],
  screenshot: (at) => [['screenshot', { selector: '#d', ...at }]],
  dialog: (at) => [
    ['click', { selector: '#ask', ...at }],
    ['dialog', { message: 'Sure?' }],
    heard('answered:true', at),
    ['dialog', { action: 'dismiss', kind: 'confirm' }],
    ['click', { selector: '#ask', ...at }],
    heard('answered:false', at),
  ],
  download: (at) => [
    ['click', { selector: '#file', ...at }],
    ['download', { fileName: 'tea.txt', contains: 'Mint' }],
  ],
  if: (at) => [
    ['if', { selector: '#b', value: 'Go', waitMs: 4_000, ...at }],
    ['click', { selector: '#b', ...at }],
    heard('click@b', at),
  ],
  loop: (at) => [
    ['waitFor', { selector: '#b', state: 'visible', ...at }],
    ['loop', { kind: 'while', selector: '#out', match: 'contains', negate: true, value: 'click@b', ...at }],
    ['click', { selector: '#b', ...at }],
    heard('click@b', at),
  ],
  setVariable: (at) => [
    ['waitFor', { selector: '#b', ...at }],
    ['setVariable', { variable: 'PATH', expression: 'location.pathname', ...at }],
    ['assertion', { subject: 'variable', variable: 'PATH', match: 'startsWith', value: '/' }],
  ],
  evaluate: (at) => [
    ['waitFor', { selector: '#b', ...at }],
    ['evaluate', { script: 'document.title = "ran"; return location.pathname', variable: 'PATH', ...at }],
    ['assertion', { subject: 'title', value: 'ran', ...at }],
  ],
};

const page = (path: string): string => site.url(path);
/** Types that have to do with pages, the browser or nothing at all. */
const ofTheRun: Partial<Record<NodeType, () => readonly Drawn[]>> = {
  navigate: () => [['navigate', { url: page('/framing') }], has('p', { value: 'around' }, {})],
  reload: () => [
    ['type', { selector: '#i', value: 'x' }],
    ['reload', {}],
    has('#i', { subject: 'value', value: 'was' }, {}),
  ],
  back: () => [
    ['navigate', { url: page('/framing') }],
    ['back', {}],
    ['assertion', { subject: 'url', value: page('/page') }],
  ],
  forward: () => [
    ['navigate', { url: page('/framing') }],
    ['back', {}],
    ['forward', {}],
    ['assertion', { subject: 'url', value: page('/framing') }],
  ],
  viewport: () => [
    ['viewport', { width: 321, height: 456 }],
    ['assertion', { subject: 'expression', expression: 'innerWidth', value: '321' }],
  ],
  openPage: () => [
    ['openPage', { url: page('/framing'), name: 'two' }],
    has('p', { value: 'around' }, {}),
    has('#b', { value: 'Go', page: 'main' }, {}),
    has('p', { value: 'around', page: 'two' }, {}),
  ],
  switchPage: () => [
    ['openPage', { url: page('/framing') }],
    ['switchPage', { page: 'main' }],
    ['click', { selector: '#b' }],
    heard('click@b', {}),
  ],
  closePage: () => [
    ['openPage', { url: page('/framing') }],
    ['closePage', {}],
    ['click', { selector: '#b' }],
    heard('click@b', {}),
  ],
  frame: () => [
    ['navigate', { url: page('/nested') }],
    ['frame', { frame: '#outer' }],
    ['frame', { frame: 0 }],
    ['click', { selector: '#b' }],
    heard('click@b', {}),
    ['frame', { to: 'parent' }],
    has('p', { value: 'around' }, {}),
    ['frame', { to: 'main' }],
    has('#outer', { subject: 'present' }, {}),
  ],
  network: () => [
    ['network', { offline: true }],
    ['assertion', { subject: 'expression', expression: 'navigator.onLine', value: 'false' }],
    ['network', {}],
    ['reload', {}],
  ],
  cookies: () => [
    ['cookies', { cookies: [{ name: 'a', value: '1', url: page('/') }] }],
    ['assertion', { subject: 'expression', expression: 'document.cookie', value: 'a=1' }],
    ['cookies', { action: 'clear' }],
    ['assertion', { subject: 'expression', expression: 'document.cookie', value: '' }],
  ],
  storageState: () => [
    ['evaluate', { script: 'localStorage.tea = "Mint"' }],
    ['storageState', { action: 'save', file: 'state.json' }],
    ['evaluate', { script: 'localStorage.clear()' }],
    ['storageState', { action: 'load', file: 'state.json' }],
    ['reload', {}],
    ['assertion', { subject: 'expression', expression: 'localStorage.tea', value: 'Mint' }],
  ],
  wait: () => [['wait', { ms: 1 }]],
  subflow: () => [
    ['subflow', { subflow: 'Click' }],
    ['subflowStart', { name: 'Click' }],
    ['click', { selector: '#b' }],
    heard('click@b', {}),
  ],
  log: () => [['log', { message: 'hello' }]],
};

/** Opens a page and runs the steps behind it, one after the other; what branches goes on along `true` or into its body. */
function drawn(path: string, steps: readonly Drawn[]): ReturnType<typeof drawnFlow> {
  const all: Drawn[] = [['navigate', { url: page(path) }], ...steps];
  const edges = ['s>n0'];
  for (const [index, [type]] of all.entries()) {
    const next = all[index + 1];
    if (next === undefined || next[0] === 'subflowStart') continue;
    const handle = type === 'if' ? ':true' : type === 'loop' ? ':body' : '';
    edges.push(`n${index}${handle}>n${index + 1}`);
  }
  return drawnFlow(Object.fromEntries(all.map((step, index) => [`n${index}`, step])), edges.join(' '));
}

async function passes(type: NodeType, path: string, steps: readonly Drawn[]): Promise<RunSeen> {
  const seen = await site.runFlow(drawn(path, steps), {
    files: filesIn(await tempFolder()),
    secrets: secretsOf({ KEY: { value: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', use: ['totp'] } }),
  });
  const { result } = seen;
  expect(result.stepsResult.map(({ error }) => error).filter((error) => error !== undefined)).toEqual([]);
  expect(result.status).toBe('passed');
  expect(result.stepsResult.map((step) => step.type)).toContain(type);
  return seen;
}

const types = Object.keys(nodeTypes) as NodeType[];

describe('every node type', () => {
  it('has a case here', () => {
    expect([...Object.keys(inPage), ...Object.keys(ofTheRun)].sort()).toEqual([...types].sort());
  });

  it.each(Object.entries(ofTheRun))('%s does what it says', async (type, steps) => {
    await passes(type as NodeType, '/page', steps());
  });

  for (const [setting, [path, at]] of Object.entries(settings)) {
    it.each(Object.entries(inPage))(`%s works in ${setting}`, async (type, steps) => {
      await passes(type as NodeType, path, steps(at));
    });
  }
});

/** For each type a step that waits for what never comes, and the page it does that in; null for one that waits for nothing. */
const waiting: Readonly<Record<NodeType, readonly [path: string, data: Fields] | null>> = {
  navigate: ['/page', { url: '{{SITE}}/never' }],
  reload: ['/once', {}],
  back: null,
  forward: null,
  viewport: ['/busy', { width: 300, height: 300 }],
  openPage: ['/page', { url: '{{SITE}}/never' }],
  switchPage: ['/page', { page: 'none' }],
  closePage: null,
  frame: ['/page', { frame: '#none' }],
  network: null,
  cookies: null,
  storageState: null,
  click: ['/page', { selector: '#none' }],
  hover: ['/page', { selector: '#none' }],
  drag: ['/page', { selector: '#d', toSelector: '#none' }],
  mouse: ['/page', { selector: '#none', action: 'down' }],
  scroll: ['/page', { selector: '#none' }],
  focus: ['/page', { selector: '#none' }],
  type: ['/page', { selector: '#i', value: 'x'.repeat(200), how: 'keys', delayMs: 100 }],
  press: ['/page', { selector: '#i', key: 'x', count: 200, delayMs: 100 }],
  keyDown: ['/busy', { key: 'x' }],
  keyUp: ['/busy', { key: 'x' }],
  select: ['/page', { selector: '#s', value: 'three' }],
  check: ['/page', { selector: '#none' }],
  submit: ['/page', { selector: '#none' }],
  upload: ['/page', { selector: '#none', files: [] }],
  totp: ['/page', { selector: '#none', secret: 'KEY' }],
  wait: ['/page', { ms: 60_000 }],
  waitFor: ['/page', { selector: '#none' }],
  assertion: ['/page', { selector: '#b', value: 'Stop' }],
  extract: ['/page', { selector: '#none', variable: 'X' }],
  screenshot: ['/page', { selector: '#none' }],
  dialog: ['/page', {}],
  download: ['/page', {}],
  if: ['/page', { selector: '#none', subject: 'visible', waitMs: 60_000 }],
  loop: ['/page', { kind: 'while', subject: 'expression', expression: 'new Promise(() => {})' }],
  subflow: null,
  setVariable: ['/page', { variable: 'X', expression: 'new Promise(() => {})' }],
  evaluate: ['/page', { script: 'return new Promise(() => {})' }],
  log: null,
};

describe('a run that is stopped', () => {
  const cases = Object.entries(waiting).flatMap(([type, one]) =>
    one === null ? [] : [[type as NodeType, ...one] as const],
  );

  it.each(cases)('ends at once in the middle of %s', async (type, path, data) => {
    const stop = new AbortController();
    let stoppedAtMs = 0;
    const { result } = await site.run(
      [
        ['navigate', { url: page(path) }],
        ['wait', { ms: 100 }],
        [type, { ...('timeoutMs' in nodeTypes[type].data.shape ? { timeoutMs: 60_000 } : {}), ...data }],
      ],
      {
        variables: { SITE: page('') },
        secrets: secretsOf({ KEY: { value: 'GEZDGNBVGY3TQOJQ', use: ['totp'] } }),
        signal: stop.signal,
        onEvent(event) {
          if (event.type !== 'step_start' || event.nodeId !== '3') return;
          setTimeout(() => {
            stoppedAtMs = performance.now();
            stop.abort(new CancelledError('the run was cancelled'));
          }, 300);
        },
      },
    );
    expect(performance.now() - stoppedAtMs).toBeLessThan(2_000);
    expect(result.status).toBe('cancelled');
    expect(result.stepsResult.at(-1)).toMatchObject({ nodeId: '3', type });
  });
});
