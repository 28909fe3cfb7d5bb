import { describe, expect, it } from 'vitest';
import { limits } from '../../src/protocol/limits.ts';
import { browserTests, type ShortStep } from '../support/flow-in-browser.ts';
import { html } from '../support/site.ts';

const site = browserTests({
  '/texts': `
    <h1 id="title">\u200b Hello,
      <b>World</b><script>var x = 1</script><style>b { color: red }</style></h1>
    <p id="empty"></p><p id="hidden" hidden>in the  dark</p><input id="submit" type="submit" value="Go on">
    <p class="row" hidden>one</p><p class="row">two</p>
    <p id="late">before</p><script>setTimeout(() => { late.textContent = 'after' }, 200)</script>
    <p id="shout" style="text-transform:uppercase">loud<br>voice</p>
    <svg width="40" height="20"><text id="drawn" y="15">drawn</text></svg>`,
  '/long': `<p id="long">${'ab '.repeat(20_000)}</p>`,
  '/fields': `
    <input id="text" value="old" oninput="document.body.dataset.events = Number(document.body.dataset.events ?? 0) + 1">
    <label id="label" for="area">Area</label><textarea id="area"></textarea>
    <div id="edit" contenteditable>old</div>
    <output id="out"></output>
    <button id="show" onclick="out.textContent = [text.value, area.value, edit.textContent].join('|')">Show</button>`,
  '/strict': (response) => {
    response.setHeader(
      'content-security-policy',
      "default-src 'none'; style-src 'unsafe-inline'; require-trusted-types-for 'script'; trusted-types 'none'",
    );
    html(
      response,
      '<label>Name <input id="name"></label><h1 id="title">Strict</h1><a id="next" href="/texts">Next</a>',
    );
  },
});

const open = (path: string): ShortStep => ['navigate', { url: site.url(path) }];
const errors = async (steps: ShortStep[]) =>
  (await site.run(steps)).result.stepsResult.slice(1).map(({ error }) => error);

describe('an assertion', () => {
  it('compares the whole text of the element, with white space folded on both sides', async () => {
    expect(
      await errors([
        open('/texts'),
        ['assertion', { selector: '#title', value: 'Hello, World' }],
        ['assertion', { selector: '#title', value: '  Hello,\n World ' }],
        ['assertion', { selector: '#empty', value: '' }],
        ['assertion', { selector: '#hidden', value: 'in the dark' }],
        ['assertion', { selector: '#submit', value: 'Go on' }],
        ['assertion', { selector: '.row', value: 'two' }],
        ['assertion', { selector: 'text=Hello', value: 'Hello, World' }],
        ['assertion', { selector: '#title', value: 'Hello', timeoutMs: 100 }],
      ]),
    ).toEqual([...Array(7).fill(undefined), 'expected "Hello", got "Hello, World" in #title within 100 ms']);
  });

  it('waits until the text is as expected', async () => {
    expect(await errors([open('/texts'), ['assertion', { selector: '#late', value: 'after' }]])).toEqual([
      undefined,
    ]);
  });

  it('is about its element, and does not look for the text elsewhere', async () => {
    expect(
      await errors([
        open('/texts'),
        [
          'assertion',
          { selector: '#title', selectors: ['.row:not([hidden])'], value: 'two', timeoutMs: 600 },
        ],
      ]),
    ).toEqual(['expected "two", got "Hello, World" in #title within 600 ms']);
  });

  it('says that the element is missing where it is', async () => {
    const { result } = await site.run([
      open('/texts'),
      ['assertion', { selector: '#nowhere', value: 'x', timeoutMs: 100 }],
    ]);
    expect(result.stepsResult[1]).toMatchObject({ errorKind: 'not_found' });
  });
});

describe('an extract', () => {
  it('saves the text as a person sees it', async () => {
    const { result } = await site.run([
      open('/texts'),
      ['extract', { selector: '#shout', variable: 'A' }],
      ['extract', { selector: '#drawn', variable: 'B' }],
      ['extract', { selector: '.row', variable: 'C' }],
      ['extract', { selector: '#empty', variable: 'D' }],
    ]);
    expect(result.stepsResult.slice(1).map(({ extracted }) => extracted?.value)).toEqual([
      'LOUD\nVOICE',
      'drawn',
      'two',
      '',
    ]);
  });

  it('keeps a long text whole for the steps after it, and cuts it in the result', async () => {
    const { result } = await site.run([
      open('/long'),
      ['extract', { selector: '#long', variable: 'LONG' }],
      ['assertion', { selector: '#long', value: '{{LONG}}' }],
    ]);
    expect(result.status).toBe('passed');
    expect(result.stepsResult[1]?.extracted?.value).toHaveLength(limits.textLength);
  });
});

describe('typing', () => {
  it('replaces what is in a field, a text area, by its label too, or an editable element', async () => {
    expect(
      await errors([
        open('/fields'),
        ['type', { selector: '#text', value: 'new' }],
        ['type', { selector: '#label', value: 'two\nlines' }],
        ['type', { selector: '#edit', value: 'free' }],
        ['click', { selector: '#show' }],
        ['assertion', { selector: '#out', value: 'new|two lines|free' }],
        ['type', { selector: '#text', value: '' }],
        ['click', { selector: '#show' }],
        ['assertion', { selector: '#out', value: '|two lines|free' }],
        ['assertion', { selector: 'body[data-events="2"] #show', value: 'Show' }],
      ]),
    ).toEqual(Array(9).fill(undefined));
  });
});

describe('every action', () => {
  it('works on a page whose policy forbids scripts and code from text', async () => {
    expect(
      await errors([
        open('/strict'),
        ['type', { selector: '#name', value: 'Ann' }],
        ['extract', { selector: '#title', variable: 'TITLE' }],
        ['assertion', { selector: 'text=Strict', value: 'Strict' }],
        ['click', { selector: '#nothing', selectors: ['text=Next'] }],
        ['assertion', { selector: '#title', value: 'Hello, World' }],
      ]),
    ).toEqual(Array(5).fill(undefined));
  });
});
