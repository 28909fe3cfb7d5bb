import { describe, expect, it } from 'vitest';
import { browserTests, type ShortStep } from '../../support/flow-in-browser.ts';
import { secretsOf } from '../../support/secret.ts';

const site = browserTests({
  '/': '<h1>Well</h1>',
  '/ill': `<h1>Ill</h1><img src="/missing.png?token=1#part"><script>
    console.log('fine'); console.warn('beware'); console.error('the basket', { items: 2 });
    fetch('/broken'); setTimeout(() => { throw new TypeError('late one'); });
    setTimeout(() => Promise.reject(new Error('nobody caught')));</script>`,
  '/broken': (response) => response.writeHead(503).end('down'),
  '/cut': (response) => response.destroy(),
  '/clicks': `<button id="one" onclick="console.error('one')">1</button>
    <button id="cut" onclick="setTimeout(() => fetch('/cut').catch(() => {}), 200)">cut</button>
    <button id="many" onclick="setTimeout(() => { for (let i = 0; i < 30; i++) console.error('error ' + i) }, 200)">many</button>
    <button id="flood" onclick="setTimeout(() => { console.error('x'.repeat(100000)); for (let i = 0; i < 20000; i++) console.log(i) }, 200)">flood</button>`,
  '/login': `<input id="field" oninput="const value = this.value; setTimeout(() => { console.error('got ' + value); fetch('/broken?x=' + encodeURIComponent(value)) }, 300)">`,
  '/credentials': `<script>const url = new URL('/cut', location.href); url.username = 'ann'; url.password = 'pass-word'; const image = new Image(); image.src = url.href;</script>`,
  '/leaves': `<script>fetch('/silent').catch(() => {})</script>`,
  '/silent': () => {},
});

const open = (path: string): ShortStep => ['navigate', { url: site.url(path) }];
const click = (selector: string): ShortStep => ['click', { selector }];
const fails: ShortStep = ['assertion', { selector: 'body', value: 'never', timeoutMs: 500 }];
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
    expect(await observedIn([open('/clicks'), click('#one'), fails])).toBeUndefined();
  });

  it('names a connection that was cut, by the reason that the browser would have found', async () => {
    const observed = await observedIn([open('/clicks'), click('#cut'), fails]);
    expect(observed?.failedRequests).toEqual([`GET ${site.url('/cut')}: ERR_EMPTY_RESPONSE`]);
    const { result } = await site.run([['navigate', { url: site.url('/cut'), timeoutMs: 2_000 }]]);
    expect(result.stepsResult[0]?.observed?.failedRequests).toEqual(observed?.failedRequests);
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
    const many = await observedIn([open('/clicks'), click('#many'), fails]);
    expect(many?.consoleErrors).toHaveLength(20);
    const flood = await observedIn([open('/clicks'), click('#flood'), fails]);
    expect(flood?.consoleErrors?.[0]).toHaveLength(500);
    expect(JSON.stringify(flood).length).toBeLessThan(1_000);
  });

  it('holds no secret', async () => {
    const { result } = await site.run(
      [open('/login'), ['type', { selector: '#field', value: '{{PASSWORD}}' }], fails],
      { secrets: secretsOf({ PASSWORD: { value: 'hunter2-secret/value' } }) },
    );
    const observed = result.stepsResult.at(-1)?.observed;
    expect(observed?.consoleErrors).toEqual(['got <redacted PASSWORD>']);
    expect(observed?.failedRequests?.[0]).toContain('<redacted PASSWORD>');
    expect(JSON.stringify(result)).not.toContain('hunter2');
  });
});
