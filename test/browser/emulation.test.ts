import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesIn } from '../../src/browser/step/run-files.ts';
import { browserTests, type RunSeen, type ShortStep } from '../support/flow-in-browser.ts';
import { html } from '../support/site.ts';
import { tempFolder } from '../support/temp-folder.ts';

const elsewhere = (path: string): string => site.url(path).replace('127.0.0.1', 'localhost');

const site = browserTests({
  '/': `<meta name="viewport" content="width=device-width, initial-scale=1">
    <p id="size"></p><p id="ratio"></p><p id="touch"></p><p id="turned"></p>
    <button id="popup" onclick="window.open('/')">popup</button>
    <button id="sized" onclick="window.open('/', '', 'width=333,height=222')">sized</button>
    <script>(function show() {
      size.textContent = innerWidth + 'x' + innerHeight;
      ratio.textContent = devicePixelRatio;
      touch.textContent = 'ontouchstart' in window ? navigator.maxTouchPoints : 'none';
      turned.textContent = screen.orientation.type;
      setTimeout(show, 10);
    })()</script>`,
  '/timed': `<p id="took"></p><script>(async () => {
      const begun = performance.now();
      await (await fetch('/bytes?' + Math.random())).arrayBuffer();
      took.textContent = performance.now() - begun > 350 ? 'slow' : 'fast';
    })()</script>`,
  '/bytes': (response) => response.writeHead(200).end(Buffer.alloc(40_000)),
  '/cookies': (response) =>
    html(
      response,
      `<p id="sent">${response.req.headers.cookie ?? 'none'}</p><p id="seen"></p><p id="kept"></p>
      <button id="keep" onclick="localStorage.setItem('kept', 'yes'); document.cookie = 'own=1'">keep</button>
      <script>seen.textContent = document.cookie || 'none'; kept.textContent = localStorage.getItem('kept') || 'no';</script>`,
    ),
});

const open = (path: string): ShortStep => ['navigate', { url: site.url(path), timeoutMs: 5_000 }];
const shows = (selector: string, value: string, more: object = {}): ShortStep => [
  'assertion',
  { selector, value, timeoutMs: 3_000, ...more },
];
const errors = ({ result }: RunSeen) => result.stepsResult.map(({ error }) => error ?? null);
const passed = (seen: RunSeen) => expect(errors(seen)).toEqual(errors(seen).map(() => null));

describe('the window of a page', () => {
  const phone = { width: 390, height: 844, deviceScaleFactor: 3, isMobile: true, hasTouch: true };
  const isPhone = [
    shows('#size', '390x844'),
    shows('#ratio', '3'),
    shows('#touch', '1'),
    shows('#turned', 'portrait-primary'),
  ];

  it('has its size, also when that changes later', async () => {
    passed(
      await site.run([
        ['viewport', { width: 800, height: 600 }],
        open('/'),
        shows('#size', '800x600'),
        shows('#ratio', '1'),
        shows('#touch', 'none'),
        ['viewport', { width: 500, height: 400 }],
        shows('#size', '500x400'),
      ]),
    );
  });

  it('is that of a phone when the flow says so first, on every site and after each load', async () => {
    passed(
      await site.run([
        ['viewport', phone],
        open('/'),
        ...isPhone,
        ['reload', {}],
        ...isPhone,
        ['navigate', { url: elsewhere('/') }],
        ...isPhone,
        ['back', {}],
        ...isPhone,
      ]),
    );
  });

  it('is that of a phone still after a picture was taken, and of a desktop again when the flow says so', async () => {
    let picture: () => Promise<unknown> = () => Promise.resolve();
    const seen = await site.run(
      [
        ['viewport', phone],
        open('/'),
        ['click', { selector: '#ratio' }],
        ...isPhone,
        ['viewport', { width: 800, height: 600 }],
        open('/'),
        shows('#size', '800x600'),
        shows('#ratio', '1'),
        shows('#touch', 'none'),
      ],
      {
        onPage({ page }) {
          picture = () => page.screenshot({ scale: 'css' });
        },
        sideEffectsMayBegin: async () => void (await picture()),
      },
    );
    passed(seen);
  });

  it('is the same in a page that opens after it, unless that was given a size', async () => {
    passed(
      await site.run([
        ['viewport', phone],
        open('/'),
        ['click', { selector: '#popup', opens: 'popup' }],
        ['switchPage', { page: 'popup' }],
        ['reload', {}],
        ...isPhone,
        ['click', { selector: '#sized', page: 'main', opens: 'sized' }],
        shows('#size', '333x222', { page: 'sized' }),
        ['openPage', { url: site.url('/') }],
        ...isPhone,
      ]),
    );
  });

  it('is a desktop of 1280 by 720 for the run after it', async () => {
    await site.run([['viewport', phone], open('/')]);
    passed(
      await site.run([open('/'), shows('#size', '1280x720'), shows('#ratio', '1'), shows('#touch', 'none')]),
    );
  });
});

describe('the network of a run', () => {
  it('is slow for all its pages when the flow says so, and as it was afterwards', async () => {
    passed(
      await site.run([
        open('/timed'),
        shows('#took', 'fast'),
        ['network', { latencyMs: 400 }],
        open('/timed'),
        shows('#took', 'slow'),
        ['openPage', { url: site.url('/timed') }],
        shows('#took', 'slow'),
        ['network', {}],
        open('/timed'),
        shows('#took', 'fast'),
        ['network', { downloadBytesPerSecond: 40_000 }],
        open('/timed'),
        shows('#took', 'slow'),
      ]),
    );
  });

  it('is off when the flow says so, which a page opened later finds, too', async () => {
    const steps: ShortStep[] = [open('/'), ['network', { offline: true }]];
    const { result } = await site.run([...steps, open('/timed')]);
    expect(result.stepsResult[2]).toMatchObject({
      errorKind: 'navigation',
      error: expect.stringContaining('this machine has no network'),
    });
    const other = await site.run([...steps, ['openPage', { url: site.url('/timed') }]]);
    expect(other.result.stepsResult[2]).toMatchObject({ errorKind: 'navigation' });
    passed(
      await site.run([...steps, ['network', { offline: false }], open('/timed'), shows('#took', 'fast')]),
    );
  });
});

describe('the cookies of a run', () => {
  it('are set for the page the flow is at, for an address or for a domain, and cleared by name or all', async () => {
    const { hostname } = new URL(site.url('/'));
    passed(
      await site.run([
        open('/cookies'),
        [
          'cookies',
          {
            cookies: [
              { name: 'a', value: '1' },
              { name: 'b', value: '2', httpOnly: true, path: '/' },
            ],
          },
        ],
        open('/cookies'),
        shows('#sent', 'a=1; b=2'),
        shows('#seen', 'a=1'),
        ['cookies', { action: 'clear', names: ['a'] }],
        open('/cookies'),
        shows('#sent', 'b=2'),
        ['cookies', { action: 'clear' }],
        [
          'cookies',
          {
            cookies: [
              { name: 'c', value: '3', domain: hostname },
              { name: 'd', value: '4', url: site.url('/') },
            ],
          },
        ],
        open('/cookies'),
        shows('#sent', 'c=3; d=4'),
      ]),
    );
  });

  it('need an address where the flow has opened none', async () => {
    const { result } = await site.run([['cookies', { cookies: [{ name: 'a', value: '1' }] }]]);
    expect(result.stepsResult[0]).toMatchObject({
      errorKind: 'invalid_data',
      error: 'the cookie a needs a url or a domain: the flow is at about:blank',
    });
  });
});

describe('the state that sites keep', () => {
  it('is saved by one run and loaded by another, within the folder of files', async () => {
    const folder = await tempFolder();
    const files = filesIn(folder);
    const saved = await site.run(
      [
        open('/cookies'),
        ['click', { selector: '#keep' }],
        ['storageState', { action: 'save', file: 'states/login.json' }],
      ],
      { files },
    );
    passed(saved);
    expect(saved.result.stepsResult[2]?.logs).toBe(
      'Saved 1 cookie and the local storage of 1 site into states/login.json',
    );
    const path = join(folder, 'states/login.json');
    expect((await stat(path)).mode & 0o077).toBe(0);
    expect(await readFile(path, 'utf8')).toContain('"own"');
    passed(
      await site.run(
        [
          ['storageState', { action: 'load', file: 'states/login.json' }],
          open('/cookies'),
          shows('#sent', 'own=1'),
          shows('#kept', 'yes'),
        ],
        { files },
      ),
    );
    passed(await site.run([open('/cookies'), shows('#sent', 'none'), shows('#kept', 'no')]));
  });

  it('is refused from outside of the folder, without a folder, and from what is no such file', async () => {
    const folder = await tempFolder();
    const files = filesIn(folder);
    await writeFile(join(folder, 'other.json'), '{"cookies":1}');
    const load = (file: string): ShortStep => ['storageState', { action: 'load', file }];
    for (const file of ['../x.json', '/etc/hostname']) {
      const { result } = await site.run([load(file)], { files });
      expect(result.stepsResult[0]).toMatchObject({ errorKind: 'blocked' });
    }
    const without = await site.run([['storageState', { action: 'save', file: 'x.json' }]]);
    expect(without.result.stepsResult[0]).toMatchObject({ errorKind: 'blocked' });
    const wrong = await site.run([load('other.json')], { files });
    expect(wrong.result.stepsResult[0]).toMatchObject({
      errorKind: 'invalid_data',
      error: 'other.json holds no cookies and local storage as a step saves them',
    });
  });
});
