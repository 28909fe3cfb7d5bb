import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesIn } from '../../../src/browser/step/run-files.ts';
import { actionSteps } from '../../support/action-steps.ts';
import { browserTests, type ShortStep } from '../../support/flow-in-browser.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const heard = `<output id="heard" style="position:fixed;bottom:0;right:0"></output><script>
  const told = [];
  function tell(text) { told.push(text); heard.textContent = told.join(' '); }
</script>`;

const site = browserTests({
  '/fields': `${heard}<input id="text" value="old"><textarea id="area">old</textarea><input id="mail" type="email" value="a@b">
    <input id="number" type="number" value="1"><input id="date" type="date"><input id="box" type="checkbox" onclick="tell('box')">
    <div id="edit" contenteditable>old <b>text</b></div><p id="plain">text</p>
    <label id="named">Colour <select onchange="tell(value)"><option>red</option><option value="g">green</option></select></label>
    <input id="file" type="file"><script>
      for (const field of [text, area, mail, number, date]) {
        field.addEventListener('keydown', (event) => { if (field === area) tell(event.key); });
        field.addEventListener('change', () => tell(field.id + '=' + field.value));
      }
      edit.addEventListener('input', () => tell('edited'));
    </script>`,
  '/late-field': `${heard}<div id="here"></div><script>
      setTimeout(() => { here.innerHTML = '<input id="text" readonly>'; }, 100);
      setTimeout(() => { here.innerHTML = '<input id="text" disabled>'; }, 200);
      setTimeout(() => { here.innerHTML = '<input id="text" oninput="tell(value)">'; }, 300);
    </script>`,
  '/frame': `<iframe srcdoc="<body contenteditable id=doc oninput='parent.out.textContent=innerHTML'>old</body>"></iframe><output id="out"></output>`,
  '/selects': `${heard}<select id="one" onchange="tell(value)"><option value="1">First one</option><option id="o2" value="2">Second
      one</option><option value="3" disabled>Third</option></select>
    <select id="many" multiple onchange="tell([...selectedOptions].map((o) => o.value).join('+'))">
      <option value="a" selected>A</option><option value="b">B</option><option value="c">C</option></select>
    <p id="plain">text</p>`,
  '/late-options': `${heard}<div id="here"></div><script>
      const draw = (options) => { here.innerHTML = '<select id="one" onchange="tell(value)">' + options + '</select>'; };
      draw('<option>wait</option>');
      setTimeout(() => draw('<option>still</option>'), 150);
      setTimeout(() => { one.insertAdjacentHTML('beforeend', '<option value="tea">Tea</option>'); }, 350);
    </script>`,
  '/boxes': `${heard}<input id="clear" type="checkbox" style="opacity:0;width:40px;height:40px" onchange="tell('clear' + checked)">
    <input id="hidden" type="checkbox" style="display:none" onchange="tell('hidden' + checked)">
    <label for="hidden">I agree to <a href="/elsewhere">all of this text that is long</a></label>
    <label id="outer"><input id="in" type="checkbox" onchange="tell('in' + checked)"> Inside</label>
    <input type="radio" name="r" id="r1" checked><input type="radio" name="r" id="r2" onchange="tell('r2')">
    <div id="switch" role="switch" aria-checked="false">S</div><input id="off" type="checkbox" disabled>
    <input id="stubborn" type="checkbox" onclick="event.preventDefault(); tell('stubborn')">
    <p id="plain">text</p><script>
      const flip = document.querySelector('#switch');
      flip.onclick = () => { tell('switch'); setTimeout(() => flip.setAttribute('aria-checked', 'true'), 200); };
    </script>`,
  '/todo': `${heard}<ul id="list"></ul><script>
      const items = ['one', 'two', 'three'];
      const draw = () => {
        list.innerHTML = items.map((item) => '<li><input class="toggle" type="checkbox"> ' + item + '</li>').join('');
        for (const [index, box] of document.querySelectorAll('.toggle').entries()) {
          box.onchange = () => { tell(items[index]); items.splice(index, 1); draw(); };
        }
      };
      draw();
    </script>`,
  '/form': `${heard}<form id="f" action="/done"><input id="q" name="q" value="tea"><button name="by" value="button">Go</button></form>
    <form id="needs" action="/done"><input id="must" name="must" required></form><p id="plain">text</p>
    <form id="own" onsubmit="event.preventDefault(); tell('own')"><input id="x"></form>`,
  '/done': (response, url) => {
    setTimeout(
      () => response.writeHead(200, { 'content-type': 'text/html' }).end(`<h1>${url.search}</h1>`),
      200,
    );
  },
  '/upload': `${heard}<input id="visible" type="file" multiple><label id="label">Choose<input type="file" style="display:none"></label>
    <div id="zone"><span>Drop here</span><input type="file" hidden></div>
    <button id="asks">Choose a file</button><div id="drops" style="height:60px">Drop only</div><script>
      const show = async (files) => {
        const texts = await Promise.all([...files].map(async (file) => file.name + ':' + file.type + ':' + (await file.text())));
        tell('[' + texts.join(',') + ']');
      };
      for (const input of document.querySelectorAll('input')) input.addEventListener('change', () => show(input.files));
      asks.onclick = () => {
        const input = document.createElement('input');
        input.type = 'file';
        input.onchange = () => show(input.files);
        input.click();
      };
      drops.ondragover = (event) => event.preventDefault();
      drops.ondrop = (event) => { event.preventDefault(); show(event.dataTransfer.files); };
    </script>`,
});

const { open, shows, hears, errors } = actionSteps(site);
const failing = async (...steps: ShortStep[]) => (await site.run(steps)).result.stepsResult.at(-1);

describe('type', () => {
  it('fills whatever takes a value: a select its option, a checkbox true or false', async () => {
    expect(
      await errors([
        open('/fields'),
        ['type', { selector: '#named', value: 'green' }],
        ['type', { selector: '#named select', value: 'red' }],
        ['type', { selector: '#box', value: 'true' }],
        ['type', { selector: '#box', value: 'on' }],
        ['type', { selector: '#box', value: false }],
        hears('g red box box'),
      ]),
    ).toEqual([]);
  });

  it('appends, in fields that have no caret too', async () => {
    expect(
      await errors([
        open('/fields'),
        ['type', { selector: '#text', value: ' new', how: 'append' }],
        ['type', { selector: '#mail', value: '.de', how: 'append' }],
        ['type', { selector: '#number', value: '5', how: 'append' }],
        ['type', { selector: '#edit', value: '!', how: 'append' }],
        hears('text=old new mail=a@b.de number=15 edited'),
        shows('#edit', 'old text!'),
      ]),
    ).toEqual([]);
  });

  it('types key by key in place of what was there', async () => {
    expect(
      await errors([
        open('/fields'),
        ['type', { selector: '#area', value: 'aé\nb', how: 'keys' }],
        ['focus', { selector: '#area', leave: true }],
        hears('a Enter b area=aé b'),
        open('/fields'),
        ['type', { selector: '#text', value: '', how: 'keys' }],
        ['focus', { selector: '#text', leave: true }],
        hears('text='),
      ]),
    ).toEqual([]);
  });

  it('puts HTML into an editable element, in a frame too', async () => {
    expect(
      await errors([
        open('/fields'),
        ['type', { selector: '#edit', value: '<i>new</i>', how: 'html' }],
        shows('#edit > i', 'new'),
        hears('edited'),
        open('/frame'),
        [
          'type',
          { selector: 'iframe >> internal:control=enter-frame >> body', value: '<u>x</u>', how: 'html' },
        ],
        shows('#out', '<u>x</u>'),
      ]),
    ).toEqual([]);
    expect(
      await failing(open('/fields'), ['type', { selector: '#text', value: 'x', how: 'html' }]),
    ).toMatchObject({ errorKind: 'not_actionable' });
  });

  it('waits for a field that is read-only, disabled and drawn anew', async () => {
    for (const how of ['replace', 'append', 'keys']) {
      expect(
        await errors([open('/late-field'), ['type', { selector: '#text', value: 'x', how }], hears('x')]),
        how,
      ).toEqual([]);
    }
  });

  it('says what takes no text', async () => {
    const typing = (selector: string, value = 'x'): Promise<unknown> =>
      failing(open('/fields'), ['type', { selector, value, timeoutMs: 2_000 }]);
    expect(await typing('#plain')).toMatchObject({ errorKind: 'not_actionable' });
    expect(await typing('#file')).toMatchObject({
      errorKind: 'not_actionable',
      error: '#file takes files: use an upload step',
    });
    expect(await typing('#box', 'maybe')).toMatchObject({ errorKind: 'invalid_data' });
    expect(await typing('#named', 'blue')).toMatchObject({
      error: expect.stringContaining('it has no option "blue", only "red", "green"'),
    });
  });
});

describe('select', () => {
  it('finds options by value, label, index and id', async () => {
    expect(
      await errors([
        open('/selects'),
        ['select', { selector: '#one', value: 'Second one' }],
        ['select', { selector: '#one', value: '1' }],
        ['select', { selector: '#one', by: 'index', value: 1 }],
        ['select', { selector: '#one', by: 'label', value: ' First  one ' }],
        ['select', { selector: '#one', by: 'id', value: 'o2' }],
        ['select', { selector: '#one', by: 'value', value: '1' }],
        hears('2 1 2 1 2 1'),
      ]),
    ).toEqual([]);
  });

  it('sets, adds and removes where several can be chosen', async () => {
    const { result } = await site.run([
      open('/selects'),
      ['select', { selector: '#many', values: ['b', 'C'] }],
      ['select', { selector: '#many', value: 'a', how: 'add' }],
      ['select', { selector: '#many', value: 'b', how: 'remove' }],
      ['select', { selector: '#many', values: [] }],
      hears('b+c a+b+c a+c'),
    ]);
    expect(result.status).toBe('passed');
    expect(result.stepsResult.slice(1, 5).map(({ logs }) => logs)).toEqual([
      'Chose "B", "C" in #many',
      'Chose besides "A" in #many',
      'Took away "B" in #many',
      'Chose nothing in #many',
    ]);
  });

  it('waits for options that come late, once, in a select that is drawn anew', async () => {
    expect(
      await errors([open('/late-options'), ['select', { selector: '#one', value: 'Tea' }], hears('tea')]),
    ).toEqual([]);
  });

  it('says which options there are, and what is no select', async () => {
    const choosing = (data: Record<string, unknown>) =>
      failing(open('/selects'), ['select', { selector: '#one', timeoutMs: 1_500, ...data }]);
    expect(await choosing({ value: 'Fourth', by: 'label' })).toMatchObject({
      errorKind: 'not_actionable',
      error:
        '#one could not be acted on within 1.5 s: it has no option "Fourth" by label, only "First one", "Second one", "Third"',
    });
    expect(await choosing({ value: '3' })).toMatchObject({
      error: expect.stringContaining('its option "Third" is disabled'),
    });
    expect(await choosing({ values: ['1', '2'] })).toMatchObject({
      error: '#one: only one option of this select can be chosen',
    });
    expect(await choosing({ selector: '#plain', value: '1' })).toMatchObject({
      error: '#plain: the element is no select',
    });
  });
});

describe('check', () => {
  it('checks and unchecks, once each, what is transparent, hidden behind its label, or has such a role', async () => {
    const { result } = await site.run([
      open('/boxes'),
      ['check', { selector: '#clear' }],
      ['check', { selector: '#clear' }],
      ['check', { selector: '#clear', checked: false }],
      ['check', { selector: '#hidden' }],
      ['check', { selector: '#outer' }],
      ['check', { selector: '#r2' }],
      ['check', { selector: '#switch' }],
      ['check', { selector: '#switch' }],
      hears('cleartrue clearfalse hiddentrue intrue r2 switch'),
    ]);
    expect(result.stepsResult.map(({ error }) => error).filter(Boolean)).toEqual([]);
    expect(result.stepsResult.slice(1, 4).map(({ logs }) => logs)).toEqual([
      '#clear is checked now',
      '#clear was checked already',
      '#clear is unchecked now',
    ]);
  });

  it('takes a list that is drawn anew, without the item, for an answer', async () => {
    expect(
      await errors([
        open('/todo'),
        ['check', { selector: '.toggle' }],
        hears('one'),
        ['check', { selector: '.toggle' }],
        hears('one two'),
      ]),
    ).toEqual([]);
  });

  it('clicks once where nothing comes of it, and says what cannot be done', async () => {
    const { result } = await site.run([open('/boxes'), ['check', { selector: '#stubborn', timeoutMs: 800 }]]);
    expect(result.stepsResult[1]).toMatchObject({
      errorKind: 'not_actionable',
      error: '#stubborn was clicked, but was not checked within 800 ms',
    });
    const checking = (data: Record<string, unknown>) =>
      failing(open('/boxes'), ['check', { timeoutMs: 2_000, ...data }]);
    expect(await checking({ selector: '#r1', checked: false })).toMatchObject({
      error: '#r1 is a radio button: it is unchecked by checking another',
    });
    expect(await checking({ selector: '#plain' })).toMatchObject({
      error: '#plain is nothing that can be checked',
    });
    expect(await checking({ selector: '#off' })).toMatchObject({
      errorKind: 'not_actionable',
      error: expect.stringContaining('it is not enabled'),
    });
  });
});

describe('submit', () => {
  it('submits as Enter would: by the first button, heard by the page, and waits for the answer', async () => {
    const { result } = await site.run([
      open('/form'),
      ['submit', { selector: '#q' }],
      ['extract', { selector: 'h1', variable: 'SENT' }],
      open('/form'),
      ['submit', { selector: '#own' }],
      hears('own'),
    ]);
    expect(result.status).toBe('passed');
    expect(result.stepsResult[2]?.extracted?.value).toBe('?q=tea&by=button');
    expect(result.stepsResult[1]?.durationMs).toBeGreaterThan(150);
  });

  it('says what is not filled in, and what is in no form', async () => {
    expect(await failing(open('/form'), ['submit', { selector: '#must' }])).toMatchObject({
      errorKind: 'not_actionable',
      error: expect.stringMatching(/^#must was not submitted: must is not filled in rightly \(.+\)$/),
    });
    expect(await failing(open('/form'), ['submit', { selector: '#plain' }])).toMatchObject({
      error: '#plain is in no form',
    });
  });
});

describe('upload', () => {
  it('gives files of the folder and of the flow to fields, hidden ones, labels, zones, choosers and drop zones', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'a.txt'), 'A');
    const note = { name: 'n.json', text: '{}' };
    const bytes = { name: 'b.bin', base64: 'Qg==', contentType: 'image/png' };
    const { result } = await site.run(
      [
        open('/upload'),
        ['upload', { selector: '#visible', files: ['a.txt'] }],
        ['upload', { selector: '#visible', files: ['a.txt', note, bytes] }],
        ['upload', { selector: '#visible', files: [] }],
        hears('[a.txt:text/plain:A] [a.txt:text/plain:A,n.json:application/json:{},b.bin:image/png:B] []'),
        open('/upload'),
        ['upload', { selector: '#label', files: [note] }],
        ['upload', { selector: '#zone', files: [note] }],
        ['upload', { selector: '#zone input', files: [note] }],
        ['upload', { selector: '#asks', files: ['a.txt'] }],
        ['upload', { selector: '#drops', files: [note] }],
        hears(
          `${'[n.json:application/json:{}] '.repeat(3)}[a.txt:text/plain:A] [n.json:application/json:{}]`,
        ),
      ],
      { files: filesIn(folder) },
    );
    expect(result.stepsResult.map(({ error }) => error).filter(Boolean)).toEqual([]);
    expect(result.stepsResult[2]?.logs).toBe('Gave 3 files to #visible');
  });

  it('gives no file that the machine does not let flows have, and none that is not there', async () => {
    const folder = await tempFolder();
    const uploading = async (files: unknown[], given = {}) =>
      (await site.run([open('/upload'), ['upload', { selector: '#visible', files }]], given)).result
        .stepsResult[1];
    expect(await uploading(['a.txt'])).toMatchObject({ errorKind: 'blocked' });
    expect(await uploading(['../a.txt'], { files: filesIn(folder) })).toMatchObject({ errorKind: 'blocked' });
    expect(await uploading(['a.txt'], { files: filesIn(folder) })).toMatchObject({
      errorKind: 'invalid_data',
    });
  });

  it('says where a field takes one file only', async () => {
    const two = [
      { name: 'a', text: '' },
      { name: 'b', text: '' },
    ];
    expect(await failing(open('/upload'), ['upload', { selector: '#label', files: two }])).toMatchObject({
      errorKind: 'not_actionable',
    });
  });
});
