import { describe, expect, it } from 'vitest';
import { browserTests, type ShortStep } from '../../support/flow-in-browser.ts';

const site = browserTests({
  '/all': `
    <p id="text">a  <b>b</b></p><p id="dark" hidden>dark</p><i>1</i><i>2</i>
    <input id="name" value=" Ann "><input id="on" type="checkbox" checked>
    <select id="one"><option value="l">Large one</option></select>
    <a id="link" href="/x" style="color:red">x</a>
    <script>document.querySelector('#link').data = { list: [1, { deep: true }] };</script>`,
  '/late': `<div id="box"></div>
    <script>setTimeout(() => { box.innerHTML = '<input id="late" value="in time">'; }, 200);</script>`,
  '/tables': `
    <table id="people"><caption>People</caption>
      <thead><tr><th>Name</th><th>Town<br>now</th><th></th><th>Name</th></tr></thead>
      <tbody><tr><td>Ann <table><tr><td>inner</td></tr></table></td><td colspan="2">Bern</td><td>A</td></tr>
      <tr><th>Bob</th><td>Ulm</td><td>x</td><td>B</td><td>more</td></tr></tbody></table>
    <table id="plain"><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>
    <table id="sides"><tr><th>Name</th><td>Ann</td></tr><tr><th>Town</th><td>Bern</td></tr></table>
    <table id="empty"></table>
    <div id="grid" role="grid">
      <div role="row"><span role="columnheader">A</span><span role="columnheader">B</span></div>
      <div role="row"><span role="gridcell">1</span><span role="gridcell">2</span></div>
    </div>`,
});

function open(path: string): ShortStep {
  return ['navigate', { url: site.url(path) }];
}

async function extracted(path: string, fields: Record<string, unknown>) {
  const { result } = await site.run([
    open(path),
    ['extract', { variable: 'X', timeoutMs: 5_000, ...fields }],
  ]);
  const [, step] = result.stepsResult;
  return step?.extracted?.value ?? step?.error;
}

describe('an extract', () => {
  it.each<[Record<string, unknown>, string]>([
    [{ selector: '#text' }, 'a b'],
    [{ selector: '#name', subject: 'value' }, ' Ann '],
    [{ selector: '#link', subject: 'attribute', attribute: 'href' }, '/x'],
    [{ selector: '#link', subject: 'attribute', attribute: 'style' }, 'color: red;'],
    [{ selector: '#link', subject: 'attribute', attribute: 'lang' }, ''],
    [{ selector: '#link', subject: 'property', property: 'data' }, '{"list":[1,{"deep":true}]}'],
    [{ selector: '#link', subject: 'property', property: 'data.list.1.deep' }, 'true'],
    [{ selector: 'i', subject: 'count' }, '2'],
    [{ selector: '#nowhere', subject: 'count' }, '0'],
    [{ selector: '#nowhere', subject: 'present' }, 'false'],
    [{ selector: '#dark', subject: 'visible' }, 'false'],
    [{ selector: '#on', subject: 'checked' }, 'true'],
    [{ selector: '#name', subject: 'editable' }, 'true'],
    [{ selector: '#one', subject: 'selected' }, 'Large one'],
    [{ subject: 'title' }, 'test'],
  ])('reads %j', async (fields, value) => {
    expect(await extracted('/all', fields)).toBe(value);
  });

  it('reads the address', async () => {
    expect(await extracted('/all?a=b#c', { subject: 'url' })).toBe(site.url('/all?a=b#c'));
  });

  it('waits for its element', async () => {
    expect(await extracted('/late', { selector: '#late', subject: 'value' })).toBe('in time');
  });

  it('says that its element is not there', async () => {
    const message = await extracted('/all', { selector: '#nowhere', subject: 'value', timeoutMs: 200 });
    expect(message).toContain('#nowhere');
  });

  it('gives what it read to the steps after it, numbers and lists as such', async () => {
    const { result } = await site.run([
      open('/all'),
      ['extract', { selector: 'i', subject: 'count', variable: 'N' }],
      ['extract', { selector: '#link', subject: 'property', property: 'data', variable: 'DATA' }],
      [
        'assertion',
        { subject: 'expression', expression: 'variables.N === 2 && variables.DATA.list[1].deep' },
      ],
      ['assertion', { selector: 'i', subject: 'count', value: '{{N}}' }],
    ]);
    expect(result.status).toBe('passed');
  });
});

describe('a table', () => {
  it.each<[string, unknown]>([
    [
      '#people',
      [
        { Name: 'Ann inner', 'Town now': 'Bern', 'column 3': 'Bern', 'Name (2)': 'A' },
        { Name: 'Bob', 'Town now': 'Ulm', 'column 3': 'x', 'Name (2)': 'B', 'column 5': 'more' },
      ],
    ],
    ['#plain', [['1', '2'], ['3']]],
    [
      '#sides',
      [
        ['Name', 'Ann'],
        ['Town', 'Bern'],
      ],
    ],
    ['#empty', []],
    ['#grid', [{ A: '1', B: '2' }]],
  ])('is read row by row: %s', async (selector, rows) => {
    const value = await extracted('/tables', { selector, subject: 'table' });
    expect(JSON.parse(value ?? '')).toEqual(rows);
  });
});
