import { describe, expect, it } from 'vitest';
import type { StepPicture } from '../../src/browser/keep-evidence.ts';
import type { RunDeed } from '../../src/browser/step/run-deed.ts';
import { browserTests } from '../support/flow-in-browser.ts';
import { maskedShare } from '../support/picture-pixels.ts';
import { secretsOf } from '../support/secret.ts';
import { html } from '../support/site.ts';

const value = 'hunter2!"&+x';
const escaped = value.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
const field = '<input id="pw" style="position:absolute;left:10px;top:50px;width:200px;height:30px;border:0">';
const box = { x: 12, y: 52, width: 196, height: 26 };
const port = (): string => new URL(site.url('/')).port;

const site = browserTests({
  '/login': `${field}<p id="echo" style="position:absolute;left:10px;top:100px;margin:0;width:300px;height:20px"></p>
    <script>const [pw, echo] = [document.querySelector('#pw'), document.querySelector('#echo')];
    pw.addEventListener('input', () => { echo.innerHTML = [...pw.value].map((c) => '<b></b>').join('');
      [...echo.children].forEach((b, i) => { b.textContent = pw.value[i]; }); });</script>`,
  // Draws its field anew with each input, with a part of what was typed.
  '/redraw': `<div id="form"></div><script>const draw = (text) => {
      document.querySelector('#form').innerHTML = ${JSON.stringify(field)};
      const pw = document.querySelector('#pw');
      pw.value = text;
      pw.addEventListener('input', () => setTimeout(() => draw(pw.value.slice(0, 3) + '...'), 0));
    };
    draw('');</script>`,
  '/plain':
    '<input id="pw"><input id="box" type="checkbox"><button id="go">go</button><p id="text">nothing</p>',
  '/framed': (response, url) =>
    html(
      response,
      `<iframe id="f" src="${url.searchParams.get('src')}" style="position:absolute;left:0;top:0;border:0;width:500px;height:300px"></iframe>`,
    ),
  '/srcdoc': `<iframe id="f" srcdoc='<input id="pw">'></iframe>`,
  // Goes to a page of another host, which keeps whatever a look at it is told.
  '/leaves': (response, url) =>
    html(
      response,
      `<p id="text">nothing</p><script>setTimeout(() => { location.href = '${url.searchParams.get('to')}' }, 150)</script>`,
    ),
  '/keeps': `<p id="text">nothing</p><script>
      const isArray = Array.isArray.bind(Array);
      const keep = (given) => fetch('/kept?' + encodeURIComponent(JSON.stringify(given) ?? ''));
      Array.isArray = (given) => { keep(given); return isArray(given); };
      for (const name of ['querySelectorAll', 'querySelector']) {
        const query = Document.prototype[name];
        Document.prototype[name] = function (selector) { keep(selector); return query.call(this, selector); };
      }
    </script>`,
  '/kept': 'thanks',
  // What stands out of the box of its element, and what is shown though it is no text.
  '/shown': `<style>body > * { position: absolute; left: 10px; width: 400px; height: 20px; margin: 0; font: 16px monospace }</style>
    <div style="top:20px"><span style="display:contents">${escaped}</span></div>
    <div style="top:60px"><p style="width:5px;margin:0;white-space:nowrap">${escaped}</p></div>
    <div style="top:100px"><img alt="${escaped}" src="/none.png" width="300" height="20"></div>
    <select style="top:140px"><option label="${escaped}"></option></select>
    <p hidden>${escaped}</p>
    <p style="top:180px;width:40px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap">${escaped}</p>`,
  '/alerts': `<input id="pw"><script>document.querySelector('#pw').addEventListener('input', (event) => alert('you typed ' + event.target.value))</script>`,
  '/moving': `<input id="pw"><script>let turns = 0; setInterval(() => { document.body.insertAdjacentHTML('beforeend', '<p>' + document.querySelector('#pw').value + (turns += 1) + '</p>'); }, 0)</script>`,
});

const inFrame = 'iframe >> internal:control=enter-frame >> #pw';
const pw = (more: object = {}) => secretsOf({ PW: { value, ...more } });
const isOfSecrets = ({ type }: RunDeed): boolean => type === 'secret_typed';
const missing = ['click', { selector: '#nowhere', timeoutMs: 50 }] as const;

function pictureOf({ pictures }: { pictures: StepPicture[] }): StepPicture {
  const [picture] = pictures;
  if (picture === undefined) throw new Error('no picture was taken');
  return picture;
}

async function shareOf(picture: StepPicture, where: typeof box): Promise<number> {
  const opened = await site.browser().newRun();
  try {
    return await maskedShare(opened.page, picture, where);
  } finally {
    await opened.close();
  }
}

describe('a secret', () => {
  it('is typed into a page of its host, which the deed names, and is in nothing that is told', async () => {
    const seen = await site.run(
      [
        ['navigate', { url: site.url('/login') }],
        ['type', { selector: '#pw', value: 'a {{PW}}' }],
        ['assertion', { selector: '#echo', value: `a ${value}` }],
        ['extract', { selector: '#echo', variable: 'seen' }],
        ['navigate', { url: `${site.url('/plain')}?seen={{seen}}` }],
      ],
      { secrets: pw({ hosts: ['127.0.0.1'] }) },
    );
    expect(seen.result.status).toBe('passed');
    expect(seen.result.stepsResult[3]?.extracted?.value).toBe('a <redacted PW>');
    expect(seen.deeds.filter(isOfSecrets)).toEqual([
      { type: 'secret_typed', name: 'PW', nodeId: '2', origin: new URL(site.url('/')).origin },
    ]);
    expect(decodeURIComponent(site.requests().at(-1) ?? '')).toBe('/plain?seen=a <redacted PW>');
    expect(JSON.stringify([seen.result, seen.events])).not.toContain('hunter2');
  });

  it('stands over a variable of the same name, and a variable that an extract step makes', async () => {
    const seen = await site.run(
      [
        ['navigate', { url: site.url('/login') }],
        ['extract', { selector: '#pw', variable: 'PW' }],
        ['type', { selector: '#pw', value: '{{PW}}' }],
        ['assertion', { selector: '#echo', value }],
      ],
      { secrets: pw(), variables: { PW: 'of the server' } },
    );
    expect(seen.result.status).toBe('passed');
  });

  it.each([
    [
      'another host',
      { hosts: ['app.example.com'] },
      /^the secret PW may not be given to 127\.0\.0\.1:\d+, only to app\.example\.com\. To allow it, write "hosts": \["app\.example\.com","127\.0\.0\.1:\d+"\] into the entry of PW in this machine's secrets file \(--secrets\)$/,
    ],
    ['another port', { hosts: ['127.0.0.1:1'] }, /may not be given to/],
    [
      'no host that is named',
      { hosts: [], namesHosts: false },
      /^the secret PW names no hosts, and .* or start with --allow-host 127\.0\.0\.1:\d+$/,
    ],
  ])('is not typed into a page of %s', async (_, given, message) => {
    const { result, deeds } = await site.run(
      [
        ['navigate', { url: site.url('/plain') }],
        ['type', { selector: '#pw', value: '{{PW}}' }],
      ],
      { secrets: pw(given) },
    );
    expect(result.stepsResult[1]).toMatchObject({ status: 'failed', errorKind: 'blocked' });
    expect(result.stepsResult[1]?.error).toMatch(message);
    expect(deeds.filter(isOfSecrets)).toEqual([]);
  });

  it.each([
    ['navigate', { url: 'http://127.0.0.1:1/?{{PW}}' }, 'url'],
    ['click', { selector: '#{{PW}}' }, 'selector'],
    ['assertion', { selector: '#text', value: '{{PW}}' }, 'value'],
    ['extract', { selectors: ['#a', '#{{PW}}'], variable: 'x' }, 'selectors'],
    ['wait', { ms: '{{PW}}' }, 'ms'],
  ] as const)('is not used in a %s step unless its entry says so', async (type, fields, name) => {
    const { result } = await site.run([[type, fields]], { secrets: pw() });
    expect(result.stepsResult[0]).toMatchObject({
      errorKind: 'blocked',
      error: `the secret PW may not be used in ${name} of a ${type} step, only in: type; to allow it, write "use": ["type","${type}"] into the entry of PW in this machine's secrets file (--secrets)`,
    });
  });

  it('never stands in the selector of a type step', async () => {
    const { result } = await site.run([['type', { selector: '#{{PW}}', value: 'x' }]], { secrets: pw() });
    expect(result.stepsResult[0]).toMatchObject({ errorKind: 'blocked' });
  });

  it('is used where its entry says so, on its hosts only', async () => {
    const secrets = pw({ use: ['navigate', 'assertion'], hosts: ['127.0.0.1'] });
    const here = await site.run([['navigate', { url: `${site.url('/plain')}?{{PW}}` }]], { secrets });
    expect(here.result).toMatchObject({ status: 'passed' });
    expect(here.result.stepsResult[0]?.logs).toContain('<redacted PW>');
    const elsewhere = site.url('/plain').replace('127.0.0.1', 'localhost');
    const there = await site.run([['navigate', { url: `${elsewhere}?{{PW}}` }]], { secrets });
    expect(there.result.stepsResult[0]).toMatchObject({ errorKind: 'blocked' });
    const foreign = await site.run(
      [
        ['navigate', { url: elsewhere }],
        ['assertion', { selector: '#text', value: '{{PW}}', timeoutMs: 100 }],
      ],
      { secrets },
    );
    expect(foreign.result.stepsResult[1]).toMatchObject({ errorKind: 'blocked' });
  });

  it.each([
    ['a frame of another site', '127.0.0.1', 'localhost', ['127.0.0.1']],
    ['a frame of its own site inside of another', 'localhost', '127.0.0.1', ['127.0.0.1']],
  ])('is not typed into %s', async (_, outer, inner, hosts) => {
    const at = (path: string, host: string): string => site.url(path).replace('127.0.0.1', host);
    const steps = [
      ['navigate', { url: `${at('/framed', outer)}?src=${encodeURIComponent(at('/plain', inner))}` }],
      ['type', { selector: inFrame, value: '{{PW}}' }],
    ] as const;
    const { result } = await site.run(steps, { secrets: pw({ hosts }) });
    expect(result.stepsResult[1]).toMatchObject({ errorKind: 'blocked' });
    const both = await site.run(steps, { secrets: pw({ hosts: ['127.0.0.1', `localhost:${port()}`] }) });
    expect(both.result.status).toBe('passed');
  });

  it('is typed into a frame that its page wrote itself', async () => {
    const { result } = await site.run(
      [
        ['navigate', { url: site.url('/srcdoc') }],
        ['type', { selector: inFrame, value: '{{PW}}' }],
      ],
      { secrets: pw({ hosts: ['127.0.0.1'] }) },
    );
    expect(result.status).toBe('passed');
  });

  it('is not typed into a page that takes the place of the one that was judged', async () => {
    const elsewhere = site.url('/plain').replace('127.0.0.1', 'localhost');
    let swapped = 0;
    const { result } = await site.run(
      [
        ['navigate', { url: site.url('/plain') }],
        ['type', { selector: '#pw', value: '{{PW}}', timeoutMs: 3_000 }],
      ],
      {
        secrets: pw({ hosts: ['127.0.0.1'] }),
        onPage({ page }) {
          // As soon as the element is held and its frame is asked for, the page goes elsewhere.
          const frame = page.mainFrame();
          const locator = frame.locator.bind(frame);
          frame.locator = (...given) => {
            const made = locator(...given);
            const nth = made.nth.bind(made);
            made.nth = (at) => {
              const one = nth(at);
              const elementHandle = one.elementHandle.bind(one);
              one.elementHandle = async (options) => {
                const element = await elementHandle(options);
                if (element === null) throw new Error('no element');
                const fill = element.fill.bind(element);
                element.fill = async (...how) => {
                  if (swapped === 0) await page.goto(elsewhere);
                  swapped += 1;
                  return fill(...how);
                };
                return element;
              };
              return one;
            };
            return made;
          };
        },
      },
    );
    expect(swapped).toBe(1);
    expect(result.stepsResult[1]).toMatchObject({ errorKind: 'blocked' });
    expect(result.stepsResult[1]?.error).toContain('localhost');
  });

  it.each([
    ['assertion', { selector: '#text', value: '{{PW}}' }],
    ['assertion', { selector: 'xpath=//p', value: '{{PW}}' }],
    ['extract', { selector: '#{{PW}}', variable: 'x' }],
    ['click', { selector: 'css=#{{PW}}' }],
  ] as const)('is not shown to a page that comes while a %s step looks: %j', async (type, fields) => {
    const elsewhere = site.url('/keeps').replace('127.0.0.1', 'localhost');
    const before = site.requests().length;
    const { result } = await site.run(
      [
        ['navigate', { url: `${site.url('/leaves')}?to=${encodeURIComponent(elsewhere)}` }],
        [type, { ...fields, timeoutMs: 1_500 }],
      ],
      { secrets: pw({ value: 'hunter2-x', hosts: ['127.0.0.1'], use: [type] }) },
    );
    expect(result.stepsResult[1]).toMatchObject({ errorKind: 'blocked' });
    expect(result.stepsResult[1]?.error).toContain('localhost');
    expect(decodeURIComponent(site.requests().slice(before).join(' '))).not.toContain('hunter2');
  });

  it('is used in the page itself only where a step looks for it, not in its frames', async () => {
    const elsewhere = site.url('/keeps').replace('127.0.0.1', 'localhost');
    const before = site.requests().length;
    const { result } = await site.run(
      [
        ['navigate', { url: `${site.url('/framed')}?src=${encodeURIComponent(elsewhere)}` }],
        [
          'assertion',
          { selector: 'iframe >> internal:control=enter-frame >> #text', value: '{{PW}}', timeoutMs: 500 },
        ],
      ],
      { secrets: pw({ value: 'hunter2-x', hosts: ['127.0.0.1'], use: ['assertion'] }) },
    );
    expect(result.stepsResult[1]).toMatchObject({ errorKind: 'blocked' });
    expect(decodeURIComponent(site.requests().slice(before).join(' '))).not.toContain('hunter2');
  });

  it('is not told by what a dialog, an expectation or Playwright says of it, also when that is cut', async () => {
    const long = `begin-${'long secret '.repeat(400)}`;
    for (const secrets of [pw(), secretsOf({ PW: { value: long } })]) {
      const runs = await Promise.all([
        site.run(
          [
            ['navigate', { url: site.url('/alerts') }],
            ['type', { selector: '#pw', value: '{{PW}}' }],
          ],
          { secrets },
        ),
        site.run(
          [
            ['navigate', { url: site.url('/login') }],
            ['type', { selector: '#pw', value: '{{PW}}' }],
            ['assertion', { selector: '#echo', value: 'nothing', timeoutMs: 300 }],
          ],
          { secrets },
        ),
        site.run(
          [
            ['navigate', { url: site.url('/plain') }],
            ['type', { selector: '#box', value: '{{PW}}', timeoutMs: 300 }],
          ],
          { secrets },
        ),
      ]);
      const told = JSON.stringify(runs.map(({ result, events }) => [result, events]));
      expect(told).toContain('<redacted PW>');
      expect(told).not.toMatch(/hunter2|begin-|long secret/);
    }
  });
});

describe('the picture of a failure', () => {
  it('covers the field a secret was typed into, and where the page shows it again', async () => {
    const seen = await site.run(
      [['navigate', { url: site.url('/login') }], ['type', { selector: '#pw', value: '{{PW}}' }], missing],
      { secrets: pw() },
    );
    const picture = pictureOf(seen);
    expect(await shareOf(picture, box)).toBe(1);
    expect(await shareOf(picture, { x: 10, y: 100, width: 60, height: 15 })).toBeGreaterThan(0.9);
    expect(await shareOf(picture, { x: 400, y: 300, width: 50, height: 50 }), 'where nothing is').toBe(0);
  });

  it('shows the same page bare where nothing is secret', async () => {
    const seen = await site.run([
      ['navigate', { url: site.url('/login') }],
      ['type', { selector: '#pw', value }],
      missing,
    ]);
    expect(await shareOf(pictureOf(seen), box)).toBe(0);
  });

  it('covers what stands out of its element, and what an image or a choice says', async () => {
    const picture = pictureOf(
      await site.run([['navigate', { url: site.url('/shown') }], missing], { secrets: pw() }),
    );
    for (const y of [20, 60, 100, 140]) {
      const share = await shareOf(picture, { x: 14, y: y + 4, width: 100, height: 12 });
      expect(share, `what stands at ${y}`).toBeGreaterThan(0.95);
    }
    expect(await shareOf(picture, { x: 500, y: 10, width: 100, height: 400 }), 'where nothing is').toBe(0);
    expect(await shareOf(picture, { x: 14, y: 184, width: 30, height: 12 }), 'what is cut off').toBe(1);
    expect(await shareOf(picture, { x: 60, y: 184, width: 100, height: 12 }), 'beside it').toBe(0);
  });

  it('covers the field that a page has drawn anew, and a field in a frame', async () => {
    const redrawn = await site.run(
      [['navigate', { url: site.url('/redraw') }], ['type', { selector: '#pw', value: '{{PW}}' }], missing],
      { secrets: pw() },
    );
    expect(await shareOf(pictureOf(redrawn), box)).toBe(1);
    const framed = await site.run(
      [
        ['navigate', { url: `${site.url('/framed')}?src=${encodeURIComponent(site.url('/login'))}` }],
        ['type', { selector: inFrame, value: '{{PW}}' }],
        missing,
      ],
      { secrets: pw() },
    );
    expect(await shareOf(pictureOf(framed), box)).toBe(1);
  });

  it('is not taken of a page that shows the secret in ever new places, and says so', async () => {
    const seen = await site.run(
      [['navigate', { url: site.url('/moving') }], ['type', { selector: '#pw', value: '{{PW}}' }], missing],
      { secrets: pw() },
    );
    expect(seen.pictures).toEqual([]);
    expect(seen.result.stepsResult[2]?.screenshotProblem).toMatch(/keeps showing a secret|in time/);
  });
});
