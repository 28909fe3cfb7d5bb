import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NetworkRules } from '../../../src/browser/egress/network-rules.ts';
import { parseHostPattern } from '../../../src/lib/host-pattern.ts';
import { browserTests, type ShortStep } from '../../support/flow-in-browser.ts';
import { html, type Site, startSite } from '../../support/site.ts';

let inside: Site;
beforeAll(async () => {
  inside = await startSite({ '/': 'inside' }, '127.0.0.3');
});
afterAll(() => inside.close());

const site = browserTests({
  '/': '<h1 id="title">Home</h1>',
  '/moved': (response) => response.writeHead(302, { location: `${inside.url}/` }).end(),
  '/script': (response) => html(response, `<script>location.href = '${inside.url}/'</script>`),
  '/links': (response) =>
    html(
      response,
      `<h1 id="title">Links</h1>
      <a id="link" href="${inside.url}/">link</a>
      <a id="moved" href="/moved">moved</a>
      <a id="stays" href="#here">stays</a>
      <button id="later" onclick="setTimeout(() => { location.href = '${inside.url}/' }, 100)">later</button>
      <button id="popup" onclick="window.open('${inside.url}/')">popup</button>
      <form action="${inside.url}/" method="post"><button id="post">post</button></form>
      ${[
        'javascript:document.title=1',
        'file:///etc/hostname',
        'view-source:file:///etc/hostname',
        'chrome://version',
        'devtools://devtools/',
        'data:text/html,hi',
      ]
        .map(
          (address, index) =>
            `<a id="scheme-${index}" href="${address}">${index}</a><button id="open-${index}" onclick="window.open('${address}')">o</button><button id="go-${index}" onclick="location.href = '${address}'">g</button>`,
        )
        .join('')}`,
    ),
  '/needs': (response) =>
    html(
      response,
      `<h1 id="title">Needs</h1>${[1, 2, 3, 4, 5].map((port) => `<script src="http://127.0.0.3:300${port}/a.js"></script>`).join('')}`,
    ),
});

const rules = (): NetworkRules => ({
  profile: 'lan',
  allowHosts: [parseHostPattern(new URL(site.url('/')).host)],
  onlyLists: [],
});
const run = (steps: readonly ShortStep[], onDeed = (_deed: unknown): void => {}) =>
  site.run(steps, { rules: rules(), onDeed });
const open = (path: string): ShortStep => ['navigate', { url: site.url(path), timeoutMs: 5_000 }];
const blocked = () => {
  const { host } = new URL(inside.url);
  return {
    status: 'failed',
    errorKind: 'blocked',
    error: `${host} was not opened: it is this machine itself (loopback); allow it with: --allow-host ${host}`,
  };
};

describe('a step that leads to an address the rules refuse', () => {
  it.each<[string, () => ShortStep[]]>([
    ['names it', () => [['navigate', { url: `${inside.url}/` }]]],
    ['is redirected to it', () => [open('/moved')]],
    ['is led there by a script of the page', () => [open('/script')]],
    ['clicks a link to it', () => [open('/links'), ['click', { selector: '#link' }]]],
    ['clicks a link that is redirected to it', () => [open('/links'), ['click', { selector: '#moved' }]]],
    ['sends a form to it', () => [open('/links'), ['click', { selector: '#post' }]]],
    [
      'comes after a click that led there a moment later',
      () => [
        open('/links'),
        ['click', { selector: '#later' }],
        ['wait', { ms: 400 }],
        ['assertion', { selector: '#title', value: 'Links', timeoutMs: 300 }],
      ],
    ],
  ])('fails when it %s, and says which flag would allow it', async (_what, steps) => {
    const { result } = await run(steps());
    expect(result.status).toBe('failed');
    expect(result.stepsResult.at(-1)).toMatchObject(blocked());
    expect(result.stepsResult.slice(0, -1).every(({ status }) => status === 'passed')).toBe(true);
    expect(inside.requests).toEqual([]);
  });

  it('tells once that the host was blocked, and which one was reached', async () => {
    const deeds: unknown[] = [];
    await run([open('/moved')], (deed) => deeds.push(deed));
    expect(deeds).toEqual([
      { type: 'host_reached', host: new URL(site.url('/')).host },
      { type: 'host_blocked', host: new URL(inside.url).host, why: expect.stringContaining('loopback') },
    ]);
  });
});

describe('a page that does not get everything it asks for', () => {
  it('spoils no step that passes', async () => {
    const { result } = await run([open('/needs'), ['assertion', { selector: '#title', value: 'Needs' }]]);
    expect(result.status).toBe('passed');
    expect(result.stepsResult.map(({ logs }) => logs)).toEqual([
      `Opened ${site.url('/needs')}`,
      '#title has the text "Needs"',
    ]);
    const popup = await run([
      open('/links'),
      ['click', { selector: '#popup' }],
      ['click', { selector: '#stays' }],
    ]);
    expect(popup.result.stepsResult.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
  });

  it('is a note on the step that fails otherwise, with three hosts at most', async () => {
    const { result } = await run([
      open('/needs'),
      ['assertion', { selector: '#title', value: 'Done', timeoutMs: 300 }],
    ]);
    expect(result.stepsResult[1]).toMatchObject({ errorKind: 'assertion' });
    expect(result.stepsResult[1]?.error).toMatch(
      /; not reached by the page: (127\.0\.0\.3:300\d \(loopback\)(, )?){3} and 2 more; see --allow-host$/,
    );
    const next = await run([
      open('/needs'),
      open('/'),
      ['assertion', { selector: '#title', value: 'Done', timeoutMs: 300 }],
    ]);
    expect(next.result.stepsResult[2]?.error).not.toContain('not reached');
  });
});

describe('addresses of other schemes', () => {
  it.each([0, 1, 2, 3, 4, 5])('are opened neither by a link nor by a script (%i)', async (index) => {
    for (const id of [`scheme-${index}`, `open-${index}`, `go-${index}`]) {
      let addresses: string[] = [];
      let pages: () => string[] = () => [];
      await site.run(
        [
          open('/links'),
          ['click', { selector: `#${id}`, timeoutMs: 2_000 }],
          ['wait', { ms: 200 }],
          ['wait', { ms: 1 }],
        ],
        {
          rules: rules(),
          onPage: ({ context }) => {
            pages = () => context.pages().map((page) => page.url());
          },
          onEvent: ({ type, nodeId }) => {
            if (type === 'step_start' && nodeId === '4') addresses = pages();
          },
        },
      );
      for (const address of addresses)
        expect(address).toMatch(/^(https?:|about:blank|data:|chrome-error:|:|$)/);
    }
  });

  it.each([
    'file:///etc/hostname',
    'view-source:file:///etc/hostname',
    'chrome://version',
    'javascript:alert(1)',
    'data:text/html,hi',
    'blob:http://a/b',
    'devtools://devtools/',
    ' file:///etc/hostname',
    'FILE:///etc/hostname',
    'filesystem:http://a/temporary/x',
    'about:version',
  ])('%s is refused to a step, also from a variable', async (url) => {
    for (const data of [{ url }, { url: '{{URL}}' }]) {
      const { result } = await site.run([['navigate', data]], { variables: { URL: url }, rules: rules() });
      expect(result.stepsResult[0]).toMatchObject({ status: 'failed', errorKind: 'blocked' });
    }
  });
});
