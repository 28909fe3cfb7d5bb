import { describe, expect, it } from 'vitest';
import { executeFlow } from '../../src/browser/execute-flow.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { CancelledError, EnvironmentError } from '../../src/lib/errors.ts';
import { browserTests, type ShortStep } from '../support/flow-in-browser.ts';
import { html } from '../support/site.ts';

const shop = browserTests({
  '/': `
    <form action="/order"><input id="name" name="name"><input id="mail" name="mail" type="email">
    <button id="send">Send</button></form>
    <button id="more" onclick="count.textContent = Number(count.textContent) + 1">More</button><p id="count">0</p>`,
  '/order': (response, url) =>
    html(
      response,
      `<h1 id="thanks">Thank you,\n  <b>${url.searchParams.get('name')}</b></h1><a href="/">Back</a>`,
    ),
  '/echo': (response, url) => html(response, `<p id="said">${url.searchParams.get('say')}</p>`),
});

const order = (): ShortStep[] => [
  ['navigate', { url: shop.url('/') }],
  ['click', { selector: '#more' }],
  ['assertion', { selector: '#count', value: '1' }],
  ['type', { selector: '#name', value: '{{WHO}}' }],
  ['type', { selector: '#mail', value: 'ann@example.test' }],
  ['click', { selector: '#send' }],
  ['assertion', { selector: '#thanks', value: 'Thank you, Ann' }],
  ['extract', { selector: '#thanks b', variable: 'CUSTOMER' }],
  ['wait', { ms: 1 }],
  ['navigate', { url: `${shop.url('/echo')}?say={{CUSTOMER}}` }],
];

describe('a flow that passes', () => {
  it('does its steps in order and says what each one did', async () => {
    const { result } = await shop.run(order(), { variables: { WHO: 'Ann' } });
    expect(result.stepsResult.map(({ logs, error }) => error ?? logs)).toEqual([
      `Opened ${shop.url('/')}`,
      'Clicked #more',
      '#count has the text "1"',
      'Typed into #name',
      'Typed into #mail',
      'Clicked #send',
      '#thanks has the text "Thank you, Ann"',
      'Saved the text of #thanks b in CUSTOMER',
      'Waited 1 ms',
      `Opened ${shop.url('/echo')}?say=Ann`,
    ]);
    expect(result.status).toBe('passed');
    expect(result.error).toBeUndefined();
    const steps = result.stepsResult.reduce((sum, { durationMs }) => sum + durationMs, 0);
    expect(result.durationMs).toBeGreaterThanOrEqual(steps - result.stepsResult.length);
  });

  it('gives an extracted text to the steps after it and to the result', async () => {
    const { result } = await shop.run(
      [...order(), ['assertion', { selector: '#said', value: '{{CUSTOMER}}' }]],
      { variables: { WHO: 'Ann' } },
    );
    expect(result.status).toBe('passed');
    expect(result.stepsResult[7]?.extracted).toEqual({ variable: 'CUSTOMER', value: 'Ann' });
    expect(shop.requests()).toContain('/echo?say=Ann');
  });

  it('never shows in its logs what was typed', async () => {
    const { result } = await shop.run(order().slice(0, 5), { variables: { WHO: 'hunter2' } });
    expect(
      result.stepsResult
        .slice(3, 5)
        .map(({ logs }) => logs)
        .join(),
    ).not.toContain('hunter2');
  });

  it('tells of every step as it starts and as it ends', async () => {
    const { events, result } = await shop.run(order().slice(0, 2));
    expect(events.map(({ type, nodeId }) => `${type} ${nodeId}`)).toEqual([
      'step_start 1',
      'step_complete 1',
      'step_start 2',
      'step_complete 2',
    ]);
    expect(events[3]).toEqual({
      type: 'step_complete',
      nodeId: '2',
      status: 'passed',
      durationMs: result.stepsResult[1]?.durationMs,
      logs: 'Clicked #more',
    });
  });

  it('starts every run without cookies and storage of the run before', async () => {
    const visit = async () => {
      let seen = '';
      await shop.run([['navigate', { url: shop.url('/') }]], {
        onPage: ({ page }) => {
          page.on('console', (message) => {
            seen = message.text();
          });
          page.on('load', () => {
            page
              .evaluate(() => {
                console.log(`${document.cookie}|${localStorage.length}`);
                // biome-ignore lint/suspicious/noDocumentCookie: the cookie is the point
                document.cookie = 'seen=1';
                localStorage.setItem('seen', '1');
              })
              .catch(() => {});
          });
        },
      });
      return seen;
    };
    await visit();
    expect(['', '|0']).toContain(await visit());
  });
});

describe('a flow that fails', () => {
  it('stops at the first step that fails, with a picture of it', async () => {
    const { result, events, pictures } = await shop.run([
      ['navigate', { url: shop.url('/') }],
      ['assertion', { selector: '#count', value: '7', timeoutMs: 100 }],
      ['click', { selector: '#more' }],
    ]);
    expect(result.status).toBe('failed');
    expect(result.stepsResult).toHaveLength(2);
    expect(result.stepsResult[1]).toMatchObject({
      nodeId: '2',
      type: 'assertion',
      status: 'failed',
      errorKind: 'assertion',
      error: 'expected "7", got "0" in #count within 100 ms',
      screenshotUrl: 'https://pictures.test/2',
    });
    expect(pictures).toHaveLength(1);
    expect(pictures[0]).toMatchObject({ nodeId: '2', contentType: 'image/png' });
    expect(Buffer.from(pictures[0]?.bytes.subarray(1, 4) ?? []).toString()).toBe('PNG');
    expect(events.at(-1)).toMatchObject({
      type: 'step_complete',
      nodeId: '2',
      status: 'failed',
      screenshotUrl: 'https://pictures.test/2',
    });
  });

  it('says why there is no picture where it could not be stored', async () => {
    const { result } = await shop.run([['navigate', { url: 'http://127.0.0.1:9/' }]], {
      keepScreenshot: async () => ({ problem: 'the disk is full' }),
    });
    expect(result.stepsResult[0]).toMatchObject({ screenshotProblem: 'the disk is full' });
    expect(result.stepsResult[0]).not.toHaveProperty('screenshotUrl');
  });

  it('opens no address that does not lead to a site, also not from a variable', async () => {
    for (const address of [
      'file:///etc/hostname',
      'view-source:http://a.test/',
      'chrome://version',
      'javascript:alert(1)',
    ]) {
      const { result } = await shop.run([['navigate', { url: '{{WHERE}}' }]], {
        variables: { WHERE: address },
      });
      expect(result.stepsResult[0], address).toMatchObject({ status: 'failed', errorKind: 'blocked' });
    }
  });

  it('refuses a value that its field does not take, naming the field', async () => {
    const { result } = await shop.run([['wait', { ms: '{{PAUSE}}' }]], { variables: { PAUSE: 'long' } });
    expect(result.stepsResult[0]).toMatchObject({
      status: 'failed',
      errorKind: 'invalid_data',
      error: expect.stringMatching(/^ms: /),
    });
  });

  it('explains a network error in a sentence, and keeps an error page for the flow to judge', async () => {
    const refused = await shop.run([['navigate', { url: 'http://127.0.0.1:1024/' }]]);
    expect(refused.result.stepsResult[0]).toMatchObject({
      errorKind: 'navigation',
      error:
        'nothing listens there, the connection was refused: http://127.0.0.1:1024/ (ERR_CONNECTION_REFUSED)',
    });
    const missing = await shop.run([
      ['navigate', { url: shop.url('/missing') }],
      ['assertion', { selector: 'h1', value: 'Not here' }],
    ]);
    expect(missing.result.status).toBe('passed');
    expect(missing.result.stepsResult[0]?.logs).toBe(`Opened ${shop.url('/missing')} (404)`);
  });
});

describe('a run that is stopped', () => {
  it('ends at once with the reason, without a picture, and does no further step', async () => {
    const stop = new AbortController();
    const { result, pictures, events } = await shop.run(
      [
        ['navigate', { url: shop.url('/') }],
        ['wait', { ms: 600_000 }],
        ['click', { selector: '#more' }],
      ],
      {
        signal: stop.signal,
        onEvent: ({ type, nodeId }) => {
          if (type === 'step_start' && nodeId === '2')
            stop.abort(new CancelledError('an operator cancelled the run'));
        },
      },
    );
    expect(result.status).toBe('cancelled');
    expect(result.error).toEqual({ code: 'cancelled', message: 'an operator cancelled the run' });
    expect(result.stepsResult.map(({ status }) => status)).toEqual(['passed', 'failed']);
    expect(result.stepsResult[1]?.error).toBe('stopped: an operator cancelled the run');
    expect(result.durationMs).toBeLessThan(60_000);
    expect(pictures).toEqual([]);
    expect(events.at(-1)).toMatchObject({ type: 'step_complete', nodeId: '2', status: 'failed' });
  });

  it('opens no page when it was stopped before it began', async () => {
    let pages = 0;
    const { result, events } = await shop.run(order(), {
      signal: AbortSignal.abort(new CancelledError('too late')),
      onPage: () => {
        pages += 1;
      },
    });
    expect(result).toMatchObject({ status: 'cancelled', stepsResult: [], error: { message: 'too late' } });
    expect([pages, events.length]).toEqual([0, 0]);
  });

  it('closes a page that arrives after it was stopped', async () => {
    const stop = new AbortController();
    const run = shop.run([], {
      signal: stop.signal,
      onPage: () => stop.abort(new CancelledError('meanwhile')),
    });
    // That no context is left is checked after every test.
    expect((await run).result.status).toBe('cancelled');
  });

  it('leaves nothing attached to the signal it was given', async () => {
    const stop = new AbortController();
    const attached = new Set<unknown>();
    const { addEventListener, removeEventListener } = stop.signal;
    stop.signal.addEventListener = (...all: Parameters<typeof addEventListener>) => {
      attached.add(all[1]);
      addEventListener.apply(stop.signal, all);
    };
    stop.signal.removeEventListener = (...all: Parameters<typeof removeEventListener>) => {
      attached.delete(all[1]);
      removeEventListener.apply(stop.signal, all);
    };
    await shop.run(order(), { variables: { WHO: 'Ann' }, signal: stop.signal });
    expect(attached.size).toBe(0);
  });
});

describe('a run without a browser', () => {
  it('fails with the reason and the hint', async () => {
    const result = await executeFlow(
      { steps: [], variables: {} },
      {
        openPage: () => Promise.reject(new EnvironmentError('no browser', { hint: 'Get one' })),
        signal: new AbortController().signal,
        ensureMayAct: () => {},
        sideEffectsMayBegin: () => Promise.resolve(),
        onEvent: () => {},
        onDeed: () => {},
        keepScreenshot: async () => ({ problem: '' }),
        clock: systemClock,
      },
    );
    expect(result).toMatchObject({
      status: 'failed',
      stepsResult: [],
      error: { code: 'environment', message: 'no browser. Get one' },
    });
  });
});
