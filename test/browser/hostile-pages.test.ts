import { describe, expect, it } from 'vitest';
import { drawnFlow } from '../support/drawn-flow.ts';
import { browserTests, type ShortStep } from '../support/flow-in-browser.ts';

const site = browserTests({
  '/asks-first': `<button id="b" onclick="if (confirm('Open?')) window.open('/popup'); else out.textContent = 'no'">Open</button>
    <output id="out"></output>`,
  '/asks-after': `<button id="b" onclick="window.open('/popup'); alert('opened')">Open</button><output id="out"></output>`,
  '/opens': `<button id="b" onclick="window.open('/brief')">Open</button><p id="p">main</p>`,
  '/popup': '<h1 id="h">popup</h1><button id="close" onclick="window.close()">Close</button>',
  '/brief': '<h1>brief</h1><script>setTimeout(() => window.close(), 300)</script>',
  '/plain': '<p id="p">main</p><input id="q">',
  '/asking-frame': '<iframe id="it" src="/asks-first"></iframe>',
  '/counts': `<button id="b" onclick="count.textContent = Number(count.textContent) + 1; if (count.textContent < 3) { const until = Date.now() + 1500; while (Date.now() < until); }">+</button><p id="count">0</p>`,
});

const open = (path: string): ShortStep => ['navigate', { url: site.url(path) }];
const errors = async (steps: ShortStep[]) =>
  (await site.run(steps)).result.stepsResult.map(({ error }) => error).filter((error) => error !== undefined);

describe('a step that opens a page and a dialog', () => {
  it.each<[string, object]>([
    ['/asks-first', {}],
    ['/asks-after', {}],
    ['/asking-frame', { frame: ['#it'] }],
  ])('gives the page its name, whichever comes first: %s', async (path, at) => {
    expect(
      await errors([
        open(path),
        ['click', { selector: '#b', opens: 'two', timeoutMs: 4_000, ...at }],
        ['dialog', { timeoutMs: 4_000 }],
        ['switchPage', { page: 'two', timeoutMs: 4_000 }],
        ['assertion', { selector: '#h', value: 'popup' }],
      ]),
    ).toEqual([]);
  });

  it('fails where the page does not come after its dialog', async () => {
    const { result } = await site.run([
      open('/asks-first'),
      ['click', { selector: '#b', opens: 'two', timeoutMs: 1_500 }],
      ['dialog', { action: 'dismiss', timeoutMs: 4_000 }],
      ['assertion', { selector: '#out', value: 'no' }],
    ]);
    expect(result.status).toBe('failed');
    expect(result.stepsResult.map(({ error }) => error ?? '').join()).toContain('no page was opened');
  });
});

describe('a script that asks', () => {
  it('gives its value once its dialog is answered', async () => {
    expect(
      await errors([
        open('/plain'),
        ['evaluate', { script: 'return confirm("Sure?") ? "yes" : "no"', variable: 'ANSWER' }],
        ['dialog', { message: 'Sure?' }],
        ['type', { selector: '#q', value: '{{ANSWER}}' }],
        ['assertion', { selector: '#q', subject: 'value', value: 'yes' }],
      ]),
    ).toEqual([]);
  });

  it('is dismissed where no dialog step follows', async () => {
    const { result } = await site.run([
      open('/plain'),
      ['evaluate', { script: 'return String(confirm("Sure?"))', variable: 'ANSWER' }],
      ['assertion', { subject: 'variable', variable: 'ANSWER', value: 'false' }],
    ]);
    expect(result.status).toBe('passed');
    expect(result.stepsResult[1]?.logs).toContain('dismissed the confirm "Sure?"');
  });
});

describe('a popup that closes itself', () => {
  it('leaves the flow in the page it came from', async () => {
    expect(
      await errors([
        open('/opens'),
        ['click', { selector: '#b', opens: 'brief' }],
        ['switchPage', { page: 'brief' }],
        ['wait', { ms: 600 }],
        ['assertion', { selector: '#p', value: 'main' }],
      ]),
    ).toEqual([]);
  });

  it.each<ShortStep>([
    ['click', { selector: '#close' }],
    ['press', { selector: '#close', key: 'Enter' }],
  ])('may do so by a step in it: %s', async (type, data) => {
    expect(
      await errors([
        open('/plain'),
        ['evaluate', { script: 'window.open("/popup")' }],
        ['switchPage', { page: 'latest' }],
        ['waitFor', { selector: '#close' }],
        [type, data],
        ['assertion', { selector: '#p', value: 'main' }],
      ]),
    ).toEqual([]);
  });
});

describe('a loop whose soft steps fail', () => {
  it('goes through all its rounds, and the run fails at its end', async () => {
    const { result } = await site.runFlow(
      drawnFlow(
        {
          open: ['navigate', { url: site.url('/plain') }],
          loop: ['loop', { kind: 'forEach', items: ['main', 'other', 'main'], as: 'WORD' }],
          soft: ['assertion', { selector: '#p', value: '{{WORD}}', soft: true, timeoutMs: 300 }],
          after: ['log', { message: 'after' }],
        },
        's>open open>loop loop:body>soft loop:done>after',
      ),
    );
    expect(
      result.stepsResult.map(({ nodeId, status, soft }) => `${nodeId} ${status}${soft ? ' soft' : ''}`),
    ).toEqual([
      'open passed',
      'loop passed',
      'soft passed',
      'soft failed soft',
      'soft passed',
      'after passed',
    ]);
    expect(result.status).toBe('failed');
  });

  it('has at most as many rounds as it may', async () => {
    const flow = (data: Record<string, unknown>) =>
      drawnFlow({ loop: ['loop', data], log: ['log', { message: 'x' }] }, 's>loop loop:body>log');
    const [tooMany] = (await site.runFlow(flow({ kind: 'times', times: 1_001 }))).result.stepsResult;
    expect(tooMany).toMatchObject({ status: 'failed', errorKind: 'invalid_data' });
    const items = JSON.stringify(Array.from({ length: 1_001 }, () => 'x'));
    const [tooLong] = (await site.runFlow(flow({ kind: 'forEach', items }))).result.stepsResult;
    expect(tooLong?.error).toBe('maxIterations: the loop has 1001 rounds; 1000 are allowed');
    const most = await site.runFlow(flow({ kind: 'times', times: 1_001, maxIterations: 2_000 }));
    expect(most.result.stepsResult).toHaveLength(1_002);
    const none = await site.runFlow(flow({ kind: 'forEach', items: '[]' }));
    expect(none.result).toMatchObject({ status: 'passed', stepsResult: [{ logs: 'Repeated nothing' }] });
  });
});
