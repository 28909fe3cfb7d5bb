import { describe, expect, it } from 'vitest';
import { browserTests, type ShortStep } from '../../support/flow-in-browser.ts';
import { localSecret } from '../../support/secret.ts';
import { holdSecrets } from '../../../src/flow/local-secrets.ts';

const site = browserTests({
  '/': '<h1>Well</h1>',
  '/ill': `<h1>Ill</h1><img src="/missing.png?token=1#part"><script>
    console.log('fine'); console.warn('beware'); console.error('the basket', { items: 2 });
    fetch('/broken'); setTimeout(() => { throw new TypeError('late one'); });
    setTimeout(() => Promise.reject(new Error('nobody caught')));</script>`,
  '/broken': (response) => response.writeHead(503).end('down'),
  '/cut': (response) => response.destroy(),
  '/clicks': `<button id="one" onclick="console.error('one')">1</button><button id="two" onclick="console.error('two'); fetch('/cut').catch(() => {})">2</button>
    <button id="many" onclick="for (let i = 0; i < 30; i++) console.error('error ' + i)">many</button>
    <button id="flood" onclick="for (let i = 0; i < 20000; i++) console.log(i); console.error('x'.repeat(100000))">flood</button>`,
  '/login': `<p id="echo"></p><input id="field" oninput="console.error('got ' + this.value); fetch('/broken?x=' + encodeURIComponent(this.value))">`,
  '/credentials': `<script>const url = new URL('/cut', location.href); url.username = 'ann'; url.password = 'pass-word'; const image = new Image(); image.src = url.href;</script>`,
  '/leaves': `<script>fetch('/silent').catch(() => {})</script><a id="go" href="/">go</a>`,
  '/silent': () => {},
});

const open = (path: string): ShortStep => ['navigate', { url: site.url(path) }];
const click = (selector: string): ShortStep => ['click', { selector }];
const fails: ShortStep = ['assertion', { selector: 'h1, button, input, p', value: 'never', timeoutMs: 500 }];
const observedIn = async (steps: ShortStep[]) => (await site.run(steps)).result.stepsResult.at(-1)?.observed;

describe('what went wrong in the page of a step that failed', () => {
  it('is in its result: errors in the console, requests that failed, errors nobody caught', async () => {
    const observed = await observedIn([open('/ill'), fails]);
    expect(observed?.consoleErrors).toEqual(['the basket {items: 2}']);
    expect(observed?.pageErrors?.sort()).toEqual(['Error: nobody caught', 'TypeError: late one']);
    expect(observed?.failedRequests?.sort()).toEqual([
      `${site.url('/broken')}: 503 Service Unavailable`,
      `${site.url('/missing.png?token=1')}: 404 Not Found`,
    ]);
  });

  it('is not there for a step that passed, nor where all is well', async () => {
    const { result } = await site.run([open('/ill'), ['wait', { ms: 100 }]]);
    expect(result.stepsResult.map(({ observed }) => observed)).toEqual([undefined, undefined]);
    expect(await observedIn([open('/'), fails])).toBeUndefined();
  });

  it('is of that step, and not of those before it', async () => {
    const observed = await observedIn([open('/clicks'), click('#one'), click('#two'), fails]);
    expect(observed?.consoleErrors).toBeUndefined();
    const own = await observedIn([
      open('/clicks'),
      click('#one'),
      ['extract', { selector: '#one', variable: 'text' }],
      ['waitFor', { selector: '#nowhere', timeoutMs: 300 }],
    ]);
    expect(own).toBeUndefined();
  });

  it('names a connection that was cut', async () => {
    const observed = await observedIn([
      open('/ill'),
      open('/clicks'),
      ['hover', { selector: '#two' }],
    ]).catch(() => undefined);
    expect(observed?.consoleErrors).toBeUndefined();
    const { result } = await site.run([['navigate', { url: site.url('/cut'), timeoutMs: 2_000 }]]);
    expect(result.stepsResult[0]?.observed?.failedRequests?.[0]).toMatch(
      new RegExp(`^GET ${site.url('/cut')}: ERR_`),
    );
  });

  it('leaves out requests that were given up because the page went on', async () => {
    expect(await observedIn([open('/leaves'), open('/'), fails])).toBeUndefined();
  });

  it('names an address without user and password', async () => {
    const observed = await observedIn([open('/credentials'), fails]);
    expect(JSON.stringify(observed)).toContain('/cut');
    expect(JSON.stringify(observed)).not.toMatch(/ann|pass-word/);
  });

  it('is bounded, and a flood does not stop the run', async () => {
    const failing = async (selector: string) => {
      const { result } = await site.run([open('/clicks'), click(selector), fails], {
        onPage: ({ observer }) => {
          // What the click wrote is looked at in the step after it.
          const { begin } = observer;
          Object.assign(observer, { begin: (type: Parameters<typeof begin>[0]) => type === 'assertion' || begin(type) });
        },
      });
      return result;
    };
    const many = await failing('#many');
    expect(many.stepsResult.at(-1)?.observed?.consoleErrors).toHaveLength(20);
    const flood = await failing('#flood');
    expect(flood.status).toBe('failed');
    expect(JSON.stringify(flood).length).toBeLessThan(10_000);
  });

  it('holds no secret', async () => {
    const secrets = holdSecrets([localSecret('PASSWORD', 'hunter2-secret/value')]);
    const { result } = await site.run(
      [open('/login'), ['type', { selector: '#field', value: '{{PASSWORD}}' }], fails],
      {
        secrets,
        onPage: ({ observer }) => {
          const { begin } = observer;
          Object.assign(observer, { begin: (type: Parameters<typeof begin>[0]) => type === 'assertion' || begin(type) });
        },
      },
    );
    const observed = result.stepsResult.at(-1)?.observed;
    expect(observed?.consoleErrors?.[0]).toBe('got <redacted PASSWORD>');
    expect(observed?.failedRequests?.[0]).toContain('<redacted PASSWORD>');
    expect(JSON.stringify(result)).not.toMatch(/hunter2/);
  });
});
