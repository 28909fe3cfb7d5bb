import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../src/lib/errors.ts';
import { browserTests, type ShortStep } from '../support/flow-in-browser.ts';
import { until } from '../support/until.ts';

const site = browserTests({
  '/': '<h1 id="title">Home</h1>',
  '/silent': () => {},
  '/half': (response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).write('<h1 id="title">Half</h1>');
  },
  '/loop': `<button id="go" onclick="for (;;) {}">Go</button>`,
  '/to-silence': `<form action="/silent" method="post"><button id="go">Go</button></form>`,
  '/alerts': `<button id="go" onclick="for (let i = 0; i < 100; i++) alert('no ' + i); done.textContent = 'over'">Go</button><p id="done"></p>`,
  '/asks': `<button id="go" onclick="answer.textContent = confirm('Delete all?')">Go</button><p id="answer"></p>`,
  '/storm': `<h1 id="title">Storm</h1><script>onload = () => setInterval(() => alert('again'), 5)</script>`,
  '/stay': `<input id="field"><script>addEventListener('beforeunload', (event) => event.preventDefault())</script>`,
  '/popups': `<h1 id="title">Popups</h1><button id="go" onclick="for (let i = 0; i < 30; i++) window.open('/')">Go</button>`,
  '/closes': `<button id="go" onclick="window.close()">Go</button>`,
  '/opener': `<a id="go" href="/closes" target="_blank">Go</a>`,
  '/download': (response) =>
    response.writeHead(200, { 'content-disposition': 'attachment; filename="a.bin"' }).end('bytes'),
  '/escapes': `<script>setTimeout(() => { location.href = '/'; });</script><h1>Leaving</h1><img src="/silent">`,
});

const open = (path: string): ShortStep => ['navigate', { url: site.url(path), timeoutMs: 5_000 }];

describe('a page that does not answer', () => {
  it('fails its step by the time-out when the server says nothing', async () => {
    const { result } = await site.run([['navigate', { url: site.url('/silent'), timeoutMs: 300 }]]);
    expect(result.stepsResult[0]).toMatchObject({
      errorKind: 'timeout',
      error: `${site.url('/silent')} did not load within 300 ms`,
    });
    expect(result.durationMs).toBeLessThan(10_000);
  });

  it('fails its step by the time-out when the server stops in the middle', async () => {
    const { result } = await site.run([['navigate', { url: site.url('/half'), timeoutMs: 300 }]]);
    expect(result.stepsResult[0]).toMatchObject({ errorKind: 'timeout' });
  });

  it('fails its step by the time-out when a script never ends, and the run with it', async () => {
    const { result } = await site.run([open('/loop'), ['click', { selector: '#go', timeoutMs: 500 }]]);
    expect(result.status).toBe('failed');
    expect(result.stepsResult[1]?.errorKind).toMatch(/navigation|timeout|not_actionable/);
    expect(result.stepsResult[1]?.screenshotProblem).toBeDefined();
    expect(result.durationMs).toBeLessThan(20_000);
  });

  it('says that a script keeps it busy', async () => {
    const { result } = await site.run(
      [open('/loop'), ['wait', { ms: 300 }], ['click', { selector: '#go', timeoutMs: 500 }]],
      {
        onPage: ({ page }) =>
          page.on('load', () => void page.evaluate('setTimeout(() => { for (;;) {} }, 50)')),
      },
    );
    expect(result.stepsResult[2]).toMatchObject({
      errorKind: 'timeout',
      error: 'the page did not answer within 500 ms: a script keeps it busy',
    });
  });

  it('does not keep a run from being stopped', async () => {
    const stop = new AbortController();
    const startedAt = { ms: 0 };
    const { result } = await site.run(
      [open('/loop'), ['wait', { ms: 200 }], ['click', { selector: '#go', timeoutMs: 600_000 }]],
      {
        signal: stop.signal,
        onPage: ({ page }) =>
          page.on('load', () => void page.evaluate('setTimeout(() => { for (;;) {} }, 50)')),
        onEvent: ({ type, nodeId }) => {
          if (type !== 'step_start' || nodeId !== '3') return;
          setTimeout(() => {
            startedAt.ms = performance.now();
            stop.abort(new CancelledError('enough'));
          }, 100);
        },
      },
    );
    expect(result).toMatchObject({ status: 'cancelled', error: { code: 'cancelled', message: 'enough' } });
    expect(performance.now() - startedAt.ms).toBeLessThan(2_000);
  });

  it('is not clicked a second time when the first click leads nowhere', async () => {
    const before = site.requests().length;
    const { result } = await site.run([
      open('/to-silence'),
      ['click', { selector: '#go', timeoutMs: 4_500 }],
    ]);
    expect(result.stepsResult[1]).toMatchObject({
      errorKind: 'navigation',
      error: '#go was clicked, but the page it leads to did not answer within 4.5 s',
    });
    expect(site.requests().slice(before)).toEqual(['/to-silence', '/silent']);
  });
});

describe('a page that asks', () => {
  it('gets every dialog dismissed, and the log says so', async () => {
    const { result } = await site.run([
      open('/asks'),
      ['click', { selector: '#go' }],
      ['assertion', { selector: '#answer', value: 'false' }],
    ]);
    expect(result.status).toBe('passed');
    expect(result.stepsResult[1]?.logs).toBe('Clicked #go; dismissed the confirm "Delete all?"');
  });

  it('cannot stop a run with a hundred of them, or with one every few milliseconds', async () => {
    const many = await site.run([
      open('/alerts'),
      ['click', { selector: '#go' }],
      ['assertion', { selector: '#done', value: 'over' }],
    ]);
    expect(many.result.status).toBe('passed');
    const storm = await site.run([open('/storm'), ['assertion', { selector: '#title', value: 'Storm' }]]);
    expect(storm.result.status).toBe('passed');
  });

  it('cannot keep its visitor with beforeunload', async () => {
    const { result } = await site.run([
      open('/stay'),
      ['type', { selector: '#field', value: 'typed' }],
      ['click', { selector: '#field' }],
      open('/'),
      ['assertion', { selector: '#title', value: 'Home' }],
    ]);
    expect(result.status).toBe('passed');
  });
});

describe('a page that goes', () => {
  it('takes its visitor along when it leads on by script while it loads', async () => {
    const { result } = await site.run([
      open('/escapes'),
      ['assertion', { selector: '#title', value: 'Home' }],
    ]);
    expect(result.stepsResult.map(({ error }) => error)).toEqual([undefined, undefined]);
  });

  it('may open windows, but not more than five', async () => {
    let count = () => 0;
    const { result } = await site.run(
      [
        open('/popups'),
        ['click', { selector: '#go' }],
        ['wait', { ms: 500 }],
        ['assertion', { selector: '#title', value: 'Popups' }],
      ],
      {
        onPage: ({ context }) => {
          count = () => context.pages().length;
        },
        onEvent: ({ type, nodeId }) => {
          if (type === 'step_start' && nodeId === '4') pagesSeen = count();
        },
      },
    );
    expect(result.stepsResult.map(({ error }) => error)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(pagesSeen).toBeLessThanOrEqual(6);
  });
  let pagesSeen = 0;

  it('fails its step when it closes itself', async () => {
    const { result } = await site.run([open('/'), ['wait', { ms: 60_000 }]], {
      onEvent: ({ type, nodeId }) => {
        if (type === 'step_start' && nodeId === '2') void opened?.close();
      },
      onPage: ({ page }) => {
        opened = page;
      },
    });
    expect(result.stepsResult[1]).toMatchObject({ errorKind: 'navigation', error: 'the page closed itself' });
    expect(result.stepsResult[1]?.screenshotProblem).toBe('the page is gone');
    expect(result.durationMs).toBeLessThan(30_000);
  });
  let opened: { close(): Promise<void> } | null = null;

  it('fails its step when it is no page but a file to save', async () => {
    const { result } = await site.run([open('/download')]);
    expect(result.stepsResult[0]?.errorKind).toBe('navigation');
    expect(result.stepsResult[0]?.error).toMatch(/download/i);
  });

  it('fails its step when its renderer crashes, and the next run is well', async () => {
    const { result } = await site.run([open('/'), ['click', { selector: '#nowhere', timeoutMs: 60_000 }]], {
      onPage: ({ page }) => page.on('load', () => void page.goto('chrome://crash').catch(() => {})),
    });
    expect(result.status).toBe('failed');
    expect(result.stepsResult.at(-1)).toMatchObject({
      errorKind: 'browser_crashed',
      error: 'the page crashed',
    });
    expect(result.durationMs).toBeLessThan(30_000);
    expect((await site.run([open('/')])).result.status).toBe('passed');
  });

  it('says that the page crashed also when that happened while an address was opened', async () => {
    const { result } = await site.run([open('/'), open('/silent')], {
      onPage: ({ page, context }) =>
        page.on('request', async (request) => {
          if (!request.url().endsWith('/silent')) return;
          // Commands for a page that is on its way are held back until it arrived: its process is ended from outside.
          const session = await context.browser()?.newBrowserCDPSession();
          const { processInfo = [] } = (await session?.send('SystemInfo.getProcessInfo')) ?? {};
          for (const { id, type } of processInfo) if (type === 'renderer') process.kill(id, 'SIGKILL');
          await session?.detach();
        }),
    });
    expect(result.stepsResult[1]).toMatchObject({
      errorKind: 'browser_crashed',
      error: 'the page crashed',
    });
  });

  it('fails its step when the browser is killed under it, and the next run gets another browser', async () => {
    const pid = site.browser().pid;
    if (pid === null) throw new Error('the browser has no pid');
    const { result } = await site.run([open('/'), ['click', { selector: '#nowhere', timeoutMs: 60_000 }]], {
      onEvent: ({ type, nodeId }) => {
        if (type === 'step_start' && nodeId === '2') setTimeout(() => process.kill(pid, 'SIGKILL'), 100);
      },
    });
    expect(result.stepsResult[1]).toMatchObject({
      status: 'failed',
      errorKind: 'browser_crashed',
      error: 'the browser ended unexpectedly',
      screenshotProblem: 'the page is gone',
    });
    expect(result.durationMs).toBeLessThan(30_000);
    await until('the browser is known to be dead', () => !site.browser().isUsable());
    expect((await site.run([open('/')])).result.status).toBe('passed');
    expect(site.browser().pid).not.toBe(pid);
  });
});
