import { describe, expect, it } from 'vitest';
import type { RunDeed } from '../../src/browser/step/run-deed.ts';
import type { LocalSecret } from '../../src/flow/local-secrets.ts';
import { browserTests, type ShortStep } from '../support/flow-in-browser.ts';
import { secretsOf } from '../support/secret.ts';
import { html } from '../support/site.ts';

const value = 'hunter2-x';
const elsewhere = (path: string): string => site.url(path).replace('127.0.0.1', 'localhost');

// Keeps whatever a look at it is told, and whatever is typed into it.
const spy = `<input id="pw"><p id="text">nothing</p><script>
    const isArray = Array.isArray.bind(Array);
    const keep = (given) => fetch('/kept?' + encodeURIComponent(JSON.stringify(given) ?? ''));
    Array.isArray = (given) => { keep(given); return isArray(given); };
    for (const name of ['querySelectorAll', 'querySelector']) {
      const query = Document.prototype[name];
      Document.prototype[name] = function (selector) { keep(selector); return query.call(this, selector); };
    }
    document.addEventListener('input', (event) => keep(event.target.value), true);
  </script>`;

const site = browserTests({
  '/own': '<input id="pw"><p id="text">nothing</p><iframe name="own" src="/inner"></iframe>',
  '/inner': '<input id="pw"><p id="text">nothing</p>',
  '/spy': spy,
  '/framing': (response, url) =>
    html(
      response,
      `<iframe name="it" src="${url.searchParams.get('src')}"></iframe><p id="text">nothing</p>`,
    ),
  '/opens': (response, url) =>
    html(
      response,
      `<p id="text">nothing</p><button id="go" onclick="window.open('${url.searchParams.get('to')}')">go</button>`,
    ),
  '/swaps': (response, url) =>
    html(
      response,
      `<iframe name="it" src="/inner"></iframe><script>setTimeout(() => {
        document.querySelector('iframe').src = '${url.searchParams.get('to')}'; }, 200)</script>`,
    ),
  '/kept': 'thanks',
});

const here = (use: LocalSecret['use'] = ['type']) => secretsOf({ PW: { value, hosts: ['127.0.0.1'], use } });
const typed = ({ type }: RunDeed): boolean => type === 'secret_typed';
const to = (path: string, address: string): ShortStep => [
  'navigate',
  { url: `${path}${encodeURIComponent(address)}` },
];

/** The last step fails as blocked, and nobody was told. */
async function refused(steps: readonly ShortStep[], use?: LocalSecret['use']): Promise<void> {
  const before = site.requests().length;
  const { result, deeds } = await site.run(steps, { secrets: here(use) });
  expect(result.stepsResult.map(({ status }) => status)).toEqual(
    steps.map((_, index) => (index === steps.length - 1 ? 'failed' : 'passed')),
  );
  expect(result.stepsResult.at(-1)).toMatchObject({ errorKind: 'blocked' });
  expect(result.stepsResult.at(-1)?.error).toMatch(
    /^the secret PW may not be given to localhost:\d+, only to/,
  );
  expect(deeds.filter(typed)).toEqual([]);
  expect(decodeURIComponent(site.requests().slice(before).join(' '))).not.toContain('hunter2');
}

const type = (more: object = {}): ShortStep => [
  'type',
  { selector: '#pw', value: '{{PW}}', timeoutMs: 3_000, ...more },
];
const ask = (more: object = {}): ShortStep => [
  'assertion',
  { selector: '#text', value: '{{PW}}', timeoutMs: 1_000, ...more },
];

describe('a secret and the frames of a page', () => {
  const framed = (): ShortStep => to(site.url('/framing?src='), elsewhere('/spy'));
  const around = (): ShortStep => to(elsewhere('/framing?src='), site.url('/inner'));

  it('is given to a frame of its own hosts, named by the step or gone into', async () => {
    for (const steps of [[type({ frame: ['own'] })], [['frame', { frame: 0 }] as const, type()]]) {
      const { result, deeds } = await site.run([['navigate', { url: site.url('/own') }], ...steps], {
        secrets: here(),
      });
      expect(result.status).toBe('passed');
      expect(deeds.filter(typed)).toHaveLength(1);
    }
    const asked = await site.run(
      [
        ['navigate', { url: site.url('/own') }],
        ask({ frame: ['own'], value: 'no {{PW}}', negate: true, timeoutMs: 300 }),
      ],
      {
        secrets: here(['assertion']),
      },
    );
    expect(asked.result.stepsResult[1]?.errorKind).not.toBe('blocked');
  });

  it('is not typed into a frame of another site, nor into its own inside of another', async () => {
    for (const open of [framed(), around()]) {
      await refused([open, type({ frame: ['it'] })]);
      await refused([open, ['frame', { frame: 'name=it' }], type()]);
    }
  });

  it('is not looked for there either', async () => {
    for (const open of [framed(), around()]) {
      await refused([open, ask({ frame: [0] })], ['assertion']);
      await refused([open, ['frame', { frame: 0 }], ask()], ['assertion']);
      await refused([open, ['click', { selector: '#{{PW}}', frame: [0], timeoutMs: 500 }]], ['click']);
    }
  });

  it('is not shown to the document that takes the place of the one that was judged', async () => {
    const before = site.requests().length;
    const { result } = await site.run(
      [to(site.url('/swaps?to='), elsewhere('/spy')), ask({ frame: ['it'], timeoutMs: 2_000 })],
      { secrets: here(['assertion']) },
    );
    expect(result.stepsResult[1]).toMatchObject({
      errorKind: 'blocked',
      error: expect.stringContaining('the secret PW may not be given to localhost'),
    });
    expect(decodeURIComponent(site.requests().slice(before).join(' '))).not.toContain('hunter2');
  });
});

describe('a secret and the pages of a run', () => {
  it('is not given to a popup of another site, whoever opened it', async () => {
    const steps: ShortStep[] = [
      to(site.url('/opens?to='), elsewhere('/spy')),
      ['click', { selector: '#go', opens: 'it' }],
    ];
    await refused([...steps, type({ page: 'it' })]);
    await refused([...steps, ['switchPage', { page: 'it' }], type()]);
    await refused([...steps, ask({ page: 'it' })], ['assertion']);
  });

  it('is not given to an address of another site that is opened beside', async () => {
    await refused([['openPage', { url: `${elsewhere('/spy')}?{{PW}}` }]], ['openPage']);
    await refused([['openPage', { url: elsewhere('/spy') }], type()]);
  });

  it('is given to a popup of its hosts though its opener is of another', async () => {
    const { result, deeds } = await site.run(
      [
        to(elsewhere('/opens?to='), site.url('/inner')),
        ['click', { selector: '#go', opens: 'it' }],
        type({ page: 'it' }),
      ],
      { secrets: here() },
    );
    expect(result.status).toBe('passed');
    expect(deeds.filter(typed)).toEqual([
      { type: 'secret_typed', name: 'PW', nodeId: '3', origin: new URL(site.url('/')).origin },
    ]);
  });
});

describe('a step that gives secrets to nobody', () => {
  it.each([
    ['cookies', { cookies: [{ name: 'a', value: '{{PW}}', url: 'http://127.0.0.1' }] }, 'cookies'],
    ['storageState', { action: 'save', file: '{{PW}}' }, 'file'],
    ['frame', { frame: '#{{PW}}' }, 'frame'],
    ['switchPage', { page: '{{PW}}' }, 'page'],
    ['evaluate', { script: 'fetch("/kept?{{PW}}")' }, 'script'],
    ['select', { selector: '#x', value: '{{PW}}' }, 'value'],
    ['press', { key: '{{PW}}' }, 'key'],
    ['upload', { selector: '#x', files: [{ name: 'a', text: '{{PW}}' }] }, 'files'],
  ] as const)('refuses one by name: %s', async (stepType, fields, field) => {
    const { result } = await site.run([[stepType, fields]], { secrets: here(['type', stepType]) });
    expect(result.stepsResult[0]).toMatchObject({
      errorKind: 'blocked',
      error: `the secret PW stands in ${field} of a ${stepType} step; no secret may be used in such a step`,
    });
  });
});

describe('the picture of a failure', () => {
  it('is taken of a page whose secret was typed into a frame or a page that is gone', async () => {
    const missing: ShortStep = ['click', { selector: '#nowhere', timeoutMs: 50 }];
    const steps: ShortStep[][] = [
      [
        ['navigate', { url: site.url('/own') }],
        type({ frame: ['own'] }),
        ['navigate', { url: site.url('/inner') }],
        missing,
      ],
      [
        ['navigate', { url: site.url('/own') }],
        ['openPage', { url: site.url('/inner') }],
        type(),
        ['closePage', {}],
        missing,
      ],
    ];
    for (const each of steps) {
      const { result } = await site.run(each, { secrets: here() });
      expect(result.stepsResult.at(-1)).toMatchObject({ errorKind: 'not_found' });
      expect(result.stepsResult.at(-1)?.screenshotUrl).toBeDefined();
    }
  });
});
