import { describe, expect, it } from 'vitest';
import { browserTests, type RunSeen, type ShortStep } from '../../support/flow-in-browser.ts';

const site = browserTests({
  '/': '<h1 id="title">Home</h1>',
  '/asks': `<button id="go" onclick="answer.textContent = confirm('Delete all?')">Go</button><p id="answer">none</p>
    <button id="other" onclick="answer.textContent = 'other'">Other</button>`,
  '/prompts': `<button id="go" onclick="answer.textContent = prompt('Name?', 'Ann')">Go</button><p id="answer"></p>`,
  '/three': `<button id="go" onclick="alert('one'); answer.textContent = confirm('two'); answer.textContent += prompt('three')">Go</button><p id="answer"></p>`,
  '/late': `<button id="go" onclick="setTimeout(() => { answer.textContent = confirm('Late?') }, 300)">Go</button><p id="answer"></p>`,
  '/counts': `<button id="go" onclick="clicks.textContent = Number(clicks.textContent) + 1; alert('again')">Go</button><p id="clicks">0</p>`,
  '/greets': `<script>alert('Welcome')</script><h1 id="title">Greeted</h1>`,
  '/down': `<button id="go" onmousedown="alert('down')" onclick="answer.textContent = 'clicked'">Go</button><p id="answer"></p>`,
  '/framed': `<iframe srcdoc="<button id=go onclick=&quot;parent.answer.textContent = confirm('Inside?')&quot;>Go</button>"></iframe><p id="answer"></p>`,
  '/stay': `<input id="field"><script>addEventListener('beforeunload', (event) => event.preventDefault())</script>`,
  '/storm': `<h1 id="title">Storm</h1><button id="go">Go</button><script>onload = () => setInterval(() => alert('again'), 5)</script>`,
  '/evil': `<button id="go" onclick="confirm('${'a'.repeat(40)}!')">Go</button>`,
});

const open = (path: string): ShortStep => ['navigate', { url: site.url(path) }];
const go: ShortStep = ['click', { selector: '#go', timeoutMs: 5_000 }];
const answered = (value: string): ShortStep => [
  'assertion',
  { selector: '#answer', value, timeoutMs: 2_000 },
];
const errors = ({ result }: RunSeen) => result.stepsResult.map(({ error }) => error ?? null);

describe('a dialog step after the step that opens the dialog', () => {
  it('accepts it, and the page gets the answer', async () => {
    const seen = await site.run([open('/asks'), go, ['dialog', { action: 'accept' }], answered('true')]);
    expect(errors(seen)).toEqual([null, null, null, null]);
    expect(seen.result.stepsResult[1]?.logs).toBe('The click opened the confirm "Delete all?"');
    expect(seen.result.stepsResult[2]?.logs).toBe('Accepted the confirm "Delete all?"');
  });

  it('dismisses it', async () => {
    const seen = await site.run([open('/asks'), go, ['dialog', { action: 'dismiss' }], answered('false')]);
    expect(errors(seen)).toEqual([null, null, null, null]);
  });

  it('lets the step that opened it end at once', async () => {
    const { result } = await site.run([open('/asks'), go, ['dialog', {}]]);
    expect(result.stepsResult[1]?.durationMs).toBeLessThan(2_000);
  });

  it('waits in between without losing it', async () => {
    const seen = await site.run([
      open('/asks'),
      go,
      ['wait', { ms: 200 }],
      ['log', { message: 'still open' }],
      ['dialog', { action: 'accept' }],
      answered('true'),
    ]);
    expect(errors(seen)).toEqual([null, null, null, null, null, null]);
  });

  it('gives a prompt its text, and what the page proposes where there is none', async () => {
    const told = await site.run([open('/prompts'), go, ['dialog', { text: 'Bob' }], answered('Bob')]);
    expect(errors(told)).toEqual([null, null, null, null]);
    const left = await site.run([open('/prompts'), go, ['dialog', { action: 'accept' }], answered('Ann')]);
    expect(errors(left)).toEqual([null, null, null, null]);
  });

  it('answers several, one after the other, each its own way', async () => {
    const seen = await site.run([
      open('/three'),
      go,
      ['dialog', { kind: 'alert', message: 'one' }],
      ['dialog', { kind: 'confirm', action: 'dismiss' }],
      ['dialog', { kind: 'prompt', text: ' and more' }],
      answered('false and more'),
    ]);
    expect(errors(seen)).toEqual([null, null, null, null, null, null]);
  });

  it('waits for one that comes late, where nothing after it could open one', async () => {
    const seen = await site.run([
      open('/late'),
      go,
      ['dialog', { action: 'accept', variable: 'asked' }],
      answered('true'),
    ]);
    expect(errors(seen)).toEqual([null, null, null, null]);
    expect(seen.result.stepsResult[2]?.extracted).toEqual({ variable: 'asked', value: 'Late?' });
  });

  it('fails when the dialog says something else, and has answered it all the same', async () => {
    const seen = await site.run([
      open('/asks'),
      go,
      ['dialog', { action: 'accept', message: 'Delete one?' }],
    ]);
    expect(seen.result.stepsResult[2]).toMatchObject({
      errorKind: 'assertion',
      error: 'the confirm "Delete all?" came where "Delete one?" was expected',
      screenshotUrl: expect.any(String),
    });
  });

  it('compares the message as match says, and the kind', async () => {
    const dialog = (data: Record<string, unknown>) => site.run([open('/asks'), go, ['dialog', data]]);
    expect((await dialog({ message: 'Delete', match: 'startsWith' })).result.status).toBe('passed');
    expect((await dialog({ message: 'all.$', match: 'matches' })).result.status).toBe('passed');
    expect((await dialog({ message: 'one', match: 'contains' })).result.status).toBe('failed');
    const kind = await dialog({ kind: 'alert' });
    expect(kind.result.stepsResult[2]?.error).toBe('the confirm "Delete all?" came where alert was expected');
  });

  it('fails when none came, with the time it waited', async () => {
    const { result } = await site.run([open('/'), ['dialog', { timeoutMs: 200 }]]);
    expect(result.stepsResult[1]).toMatchObject({
      errorKind: 'timeout',
      error: 'no dialog came within 200 ms',
    });
  });

  it('passes when none came and none had to', async () => {
    const seen = await site.run([open('/'), ['dialog', { required: false }]]);
    expect(seen.result.status).toBe('passed');
    expect(seen.result.durationMs).toBeLessThan(5_000);
  });

  it('does not have the step that opened it act a second time', async () => {
    const seen = await site.run([
      open('/counts'),
      go,
      ['wait', { ms: 3_500 }],
      ['dialog', {}],
      ['assertion', { selector: '#clicks', value: '1' }],
      ['wait', { ms: 300 }],
      ['assertion', { selector: '#clicks', value: '1' }],
    ]);
    expect(seen.result.status).toBe('passed');
  });

  it('answers one that the page opens while it loads', async () => {
    const seen = await site.run([
      open('/greets'),
      ['dialog', { message: 'Welcome' }],
      ['assertion', { selector: '#title', value: 'Greeted' }],
    ]);
    expect(errors(seen)).toEqual([null, null, null]);
  });

  it('answers one that opens when the button goes down, and the click is a whole one', async () => {
    const seen = await site.run([open('/down'), go, ['dialog', { message: 'down' }]]);
    expect(errors(seen)).toEqual([null, null, null]);
  });

  it('is not stopped by a pattern that would take years', async () => {
    const { result } = await site.run([
      open('/evil'),
      go,
      ['dialog', { message: '^(a+)+$', match: 'matches' }],
    ]);
    expect(result.stepsResult[2]?.error).toMatch(/took longer than/);
    expect(result.durationMs).toBeLessThan(15_000);
  });
});

describe('a dialog step before the step that opens the dialog', () => {
  it('has its answer ready, and the click goes through as if nothing was', async () => {
    const seen = await site.run([open('/asks'), ['dialog', { action: 'accept' }], go, answered('true')]);
    expect(errors(seen)).toEqual([null, null, null, null]);
    expect(seen.result.stepsResult[1]?.logs).toBe('The next dialog will be accepted');
    expect(seen.result.stepsResult[2]?.logs).toBe('Clicked #go; accepted the confirm "Delete all?"');
  });

  it('is good for one dialog only', async () => {
    const seen = await site.run([
      open('/asks'),
      ['dialog', { action: 'accept' }],
      go,
      answered('true'),
      go,
      answered('false'),
    ]);
    expect(seen.result.status).toBe('passed');
  });

  it('stands before each of several, as recorders write it', async () => {
    const seen = await site.run([
      open('/asks'),
      ['dialog', { action: 'accept' }],
      go,
      ['dialog', { action: 'dismiss' }],
      go,
      answered('false'),
    ]);
    expect(errors(seen)).toEqual([null, null, null, null, null, null]);
  });

  it('stands several times before one that opens several', async () => {
    const seen = await site.run([
      open('/three'),
      ['dialog', {}],
      ['dialog', { action: 'accept' }],
      ['dialog', { text: ' x' }],
      go,
      answered('true x'),
    ]);
    expect(errors(seen)).toEqual([null, null, null, null, null, null]);
  });

  it('saves the message in a variable for the steps behind', async () => {
    const seen = await site.run([
      open('/asks'),
      ['dialog', { variable: 'asked' }],
      go,
      ['log', { message: 'it said {{asked}}' }],
    ]);
    expect(seen.result.stepsResult[3]?.logs).toBe('it said Delete all?');
  });

  it('fails, by its own name, when the dialog that comes is another one', async () => {
    const seen = await site.run([open('/asks'), ['dialog', { message: 'Sure?' }], go, answered('true')]);
    expect(seen.result.status).toBe('failed');
    expect(seen.result.stepsResult.map(({ nodeId, status }) => `${nodeId} ${status}`)).toEqual([
      '1 passed',
      '2 passed',
      '3 passed',
      '2 failed',
    ]);
    expect(seen.result.stepsResult[3]).toMatchObject({
      type: 'dialog',
      errorKind: 'assertion',
      error: 'the confirm "Delete all?" came where "Sure?" was expected',
    });
  });

  it('fails at the end when none has come', async () => {
    const seen = await site.run([
      open('/asks'),
      ['dialog', { timeoutMs: 300 }],
      ['click', { selector: '#other' }],
      answered('other'),
    ]);
    expect(seen.result.status).toBe('failed');
    expect(seen.result.stepsResult.at(-1)).toMatchObject({
      nodeId: '2',
      errorKind: 'timeout',
      error: 'no dialog came for the answer that was laid ready',
    });
  });

  it('passes when none has come and none had to', async () => {
    const seen = await site.run([
      open('/asks'),
      ['dialog', { required: false }],
      ['click', { selector: '#other' }],
      answered('other'),
    ]);
    expect(seen.result.status).toBe('passed');
    expect(seen.result.durationMs).toBeLessThan(5_000);
  });

  it('waits at the end for one that comes late', async () => {
    const seen = await site.run([open('/late'), ['dialog', { action: 'accept' }], go]);
    expect(seen.result.status).toBe('passed');
  });

  it('keeps its visitor on a page that asks whether to leave it', async () => {
    const seen = await site.run([
      open('/stay'),
      ['type', { selector: '#field', value: 'typed' }],
      ['click', { selector: '#field' }],
      ['dialog', { kind: 'beforeunload', action: 'dismiss' }],
      open('/'),
    ]);
    expect(seen.result.stepsResult.at(-1)?.status).toBe('failed');
    expect(seen.result.stepsResult.at(-1)?.error).toMatch(/loading was stopped/);
  });

  it('leaves such a page alone with answers for other dialogs', async () => {
    const seen = await site.run([
      open('/stay'),
      ['type', { selector: '#field', value: 'typed' }],
      ['click', { selector: '#field' }],
      ['dialog', { action: 'dismiss', required: false }],
      open('/'),
      ['assertion', { selector: '#title', value: 'Home' }],
    ]);
    expect(seen.result.status).toBe('passed');
  });
});

describe('a page that asks without end', () => {
  it('ends a step with a dialog step behind it as well', async () => {
    const seen = await site.run([open('/storm'), go, ['dialog', {}], ['wait', { ms: 50 }]]);
    expect(seen.result.durationMs).toBeLessThan(20_000);
    expect(seen.result.stepsResult[2]?.status).toBe('passed');
  });

  it('has its picture taken when a step fails', async () => {
    const seen = await site.run([open('/three'), go, ['dialog', { kind: 'confirm' }]]);
    expect(seen.result.stepsResult[2]?.status).toBe('failed');
    expect(seen.pictures).toHaveLength(1);
  });
});
