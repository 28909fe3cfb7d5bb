import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../src/lib/errors.ts';
import type { RunResult, StepEvent } from '../../src/protocol/run-result.ts';
import { drawnFlow } from '../support/drawn-flow.ts';
import { browserTests } from '../support/flow-in-browser.ts';

const shop = browserTests({
  '/': `
    <button id="more" onclick="count.textContent = Number(count.textContent) + 1">More</button><p id="count">0</p>
    <input id="name"><ul id="list"></ul>
    <button id="add" onclick="list.insertAdjacentHTML('beforeend', '<li></li>'); list.lastChild.textContent = document.getElementById('name').value">Add</button>`,
  '/banner': `<button id="accept" onclick="this.remove()">Accept</button><p id="text">Welcome</p>`,
  // Ready at its third visit.
  '/slow': `<p id="state"></p><script>
    const visits = Number(sessionStorage.getItem('visits') ?? 0) + 1;
    sessionStorage.setItem('visits', visits);
    state.textContent = visits < 3 ? 'working' : 'ready';
  </script>`,
  // Its button comes late.
  '/shy': `<p id="tries">0</p><script>
    const appear = () => { if (!document.querySelector('#late')) document.body.insertAdjacentHTML('beforeend',
      '<button id="late" onclick="tries.textContent = 1">Late</button>'); };
    setTimeout(appear, 1_500);
  </script>`,
});

const open = (path: string) => ['navigate', { url: shop.url(path) }] as const;
const click = (selector: string) => ['click', { selector }] as const;
const expectText = (selector: string, value: string, more = {}) =>
  ['assertion', { selector, value, timeoutMs: 5_000, ...more }] as const;

/** `a ok` of each executed step, with the rounds around it. */
function told({ stepsResult }: RunResult): string[] {
  return stepsResult.map(
    ({ nodeId, status, rounds }) =>
      `${nodeId}${rounds === undefined ? '' : ` ${rounds.join('.')}`}${status === 'passed' ? '' : ' failed'}`,
  );
}

function eventsTold(events: readonly StepEvent[]): string[] {
  return events.map(({ type, nodeId }) => `${type === 'step_start' ? '>' : '<'}${nodeId}`);
}

describe('an if', () => {
  const flow = () =>
    drawnFlow(
      {
        open: open('{{PAGE}}'),
        banner: ['if', { subject: 'visible', selector: '#accept', timeoutMs: 5_000 }],
        accept: click('#accept'),
        gone: ['assertion', { selector: '#accept', subject: 'present', value: 'false', timeoutMs: 5_000 }],
      },
      's>open open>banner banner:true>accept banner:false>gone accept>gone',
    );

  it('goes along the edge that its question leads to, and both ways meet again', async () => {
    const with_ = await shop.runFlow(flow(), { variables: { PAGE: '/banner' } });
    expect(told(with_.result)).toEqual(['open', 'banner', 'accept', 'gone']);
    expect(with_.result.stepsResult[1]?.logs).toMatch(/^Went on along true/);
    const without = await shop.runFlow(flow(), { variables: { PAGE: '/' } });
    expect(told(without.result)).toEqual(['open', 'banner', 'gone']);
    expect(without.result.stepsResult[1]?.logs).toMatch(/^Went on along false/);
    expect([with_.result.status, without.result.status]).toEqual(['passed', 'passed']);
    expect(eventsTold(without.events)).toEqual(['>open', '<open', '>banner', '<banner', '>gone', '<gone']);
  });

  it('waits for a yes where it is told to', async () => {
    const late = drawnFlow(
      {
        open: open('/shy'),
        late: ['if', { subject: 'visible', selector: '#late', waitMs: 5_000 }],
        click: click('#late'),
      },
      's>open open>late late:true>click',
    );
    const { result } = await shop.runFlow(late);
    expect(told(result)).toEqual(['open', 'late', 'click']);
  });

  it('asks variables, and takes what a step before has read', async () => {
    const asked = drawnFlow(
      {
        open: open('/'),
        read: ['extract', { selector: '#count', variable: 'COUNT' }],
        zero: ['if', { subject: 'variable', variable: 'COUNT', value: '0' }],
        yes: ['log', { message: 'none yet' }],
        no: ['log', { message: 'some' }],
      },
      's>open open>read read>zero zero:true>yes zero:false>no',
    );
    const { result } = await shop.runFlow(asked);
    expect(told(result)).toEqual(['open', 'read', 'zero', 'yes']);
  });
});

describe('a loop', () => {
  it('repeats its body so often, and tells the round of each step', async () => {
    const flow = drawnFlow(
      {
        open: open('/'),
        thrice: ['loop', { kind: 'times', times: '{{N}}', as: 'I' }],
        more: click('#more'),
        log: ['log', { message: 'round {{I}}' }],
        three: expectText('#count', '3'),
      },
      's>open open>thrice thrice:body>more more>log log>thrice thrice:done>three',
    );
    const { result, events } = await shop.runFlow(flow, { variables: { N: '3' } });
    expect(result.status).toBe('passed');
    expect(told(result)).toEqual([
      'open',
      'thrice',
      'more 1',
      'log 1',
      'more 2',
      'log 2',
      'more 3',
      'log 3',
      'three',
    ]);
    expect(result.stepsResult.filter(({ nodeId }) => nodeId === 'log').map(({ logs }) => logs)).toEqual([
      'round 0',
      'round 1',
      'round 2',
    ]);
    expect(eventsTold(events)).toEqual(
      told(result).flatMap((line) => [`>${line.split(' ')[0]}`, `<${line.split(' ')[0]}`]),
    );
  });

  it('gives each item of a list to its body, also of one in JSON', async () => {
    for (const items of [['Ann', 'Bob'], '["Ann","Bob"]']) {
      const flow = drawnFlow(
        {
          open: open('/'),
          each: ['loop', { kind: 'forEach', items, as: 'WHO' }],
          type: ['type', { selector: '#name', value: '{{WHO}}' }],
          add: click('#add'),
          both: expectText('#list', 'AnnBob'),
        },
        's>open open>each each:body>type type>add each:done>both',
      );
      const { result } = await shop.runFlow(flow);
      expect(result.stepsResult.at(-1)).toMatchObject({ nodeId: 'both', status: 'passed' });
    }
  });

  it('goes on as long as its question holds, which is asked before each round', async () => {
    const flow = drawnFlow(
      {
        open: open('/slow'),
        working: ['loop', { kind: 'while', selector: '#state', value: 'working' }],
        again: open('/slow'),
        ready: expectText('#state', 'ready'),
      },
      's>open open>working working:body>again working:done>ready',
    );
    const { result } = await shop.runFlow(flow);
    expect(told(result)).toEqual(['open', 'working', 'again 1', 'working', 'again 2', 'working', 'ready']);
  });

  it('asks after each round where its body comes first', async () => {
    const flow = drawnFlow(
      {
        open: open('/'),
        until: ['loop', { kind: 'doWhile', selector: '#count', value: '0' }],
        more: click('#more'),
      },
      's>open open>until until:body>more',
    );
    expect(told((await shop.runFlow(flow)).result)).toEqual(['open', 'until', 'more 1', 'until']);
  });

  it('fails when it does not end within its bound', async () => {
    const flow = drawnFlow(
      {
        open: open('/'),
        for_ever: ['loop', { kind: 'while', subject: 'present', selector: '#count', maxIterations: 2 }],
        more: click('#more'),
      },
      's>open open>for_ever for_ever:body>more',
    );
    const { result } = await shop.runFlow(flow);
    expect(told(result)).toEqual(['open', 'for_ever', 'more 1', 'for_ever', 'more 2', 'for_ever failed']);
    expect(result.stepsResult.at(-1)).toMatchObject({
      errorKind: 'timeout',
      error: expect.stringContaining('the loop did not end within 2 rounds (maxIterations)'),
    });
  });

  it.each([
    [{ kind: 'times', times: 3, maxIterations: 2 }, 'the loop has 3 rounds; 2 are allowed'],
    [{ kind: 'forEach', items: '{"a":1}' }, 'items: is neither a list nor one in JSON'],
  ])('refuses %j', async (data, error) => {
    const flow = drawnFlow({ loop: ['loop', data], log: ['log', { message: '' }] }, 's>loop loop:body>log');
    const { result } = await shop.runFlow(flow);
    expect(result.stepsResult).toMatchObject([
      { errorKind: 'invalid_data', error: expect.stringContaining(error) },
    ]);
  });

  it('may have nothing to repeat, and no body', async () => {
    const flow = drawnFlow(
      {
        none: ['loop', { kind: 'forEach', items: [] }],
        log: ['log', { message: '' }],
        hollow: ['loop', { kind: 'times', times: 2_000, maxIterations: 2_000 }],
      },
      's>none none:body>log none:done>hollow',
    );
    expect(told((await shop.runFlow(flow)).result)).toEqual(['none', 'hollow']);
  });

  it('ends the run after as many steps as one may execute, with two events for each', async () => {
    const flow = drawnFlow(
      {
        outer: ['loop', { kind: 'times', times: 3 }],
        inner: ['loop', { kind: 'times', times: 999 }],
        log: ['log', { message: '' }],
      },
      's>outer outer:body>inner inner:body>log',
    );
    const { result, events } = await shop.runFlow(flow);
    expect(result).toMatchObject({ status: 'failed', error: { code: 'too_many_steps' } });
    expect(result.stepsResult).toHaveLength(2_000);
    expect(events).toHaveLength(4_000);
    expect(result.stepsResult.at(-1)).toMatchObject({ nodeId: 'log', status: 'passed', rounds: [2, 998] });
  });

  it('is left at once when the run is stopped', async () => {
    const stop = new AbortController();
    const flow = drawnFlow(
      {
        open: open('/'),
        for_ever: ['loop', { kind: 'while', subject: 'present', selector: '#count' }],
        more: click('#more'),
      },
      's>open open>for_ever for_ever:body>more',
    );
    const { result } = await shop.runFlow(flow, {
      signal: stop.signal,
      onEvent: ({ type, nodeId }) => {
        if (type === 'step_complete' && nodeId === 'more') stop.abort(new CancelledError('enough'));
      },
    });
    expect(result).toMatchObject({ status: 'cancelled', error: { message: 'enough' } });
    expect(told(result)).toEqual(['open', 'for_ever', 'more 1']);
  });
});

describe('a subflow', () => {
  it('runs at each node that names it, with the variables that it is given', async () => {
    const flow = drawnFlow(
      {
        open: open('/'),
        ann: ['subflow', { subflow: 'Add', variables: { WHO: 'Ann' } }],
        bob: ['subflow', { subflow: 'Add', variables: { WHO: 'Bob' } }],
        both: expectText('#list', 'AnnBob'),
        head: ['subflowStart', { name: 'Add' }],
        type: ['type', { selector: '#name', value: '{{WHO}}' }],
        add: click('#add'),
      },
      's>open open>ann ann>bob bob>both head>type type>add',
    );
    const { result } = await shop.runFlow(flow);
    expect(told(result)).toEqual(['open', 'ann', 'type', 'add', 'bob', 'type', 'add', 'both']);
    expect(result.status).toBe('passed');
  });
});

describe('retries', () => {
  it('try a step again, and tell how often and what was wrong before', async () => {
    const { result, pictures, events } = await shop.run([
      ['navigate', { url: shop.url('/shy') }],
      ['click', { selector: '#late', timeoutMs: 100, retries: 20, retryDelayMs: 200 }],
      ['assertion', { selector: '#tries', value: '1' }],
    ]);
    expect(result.status).toBe('passed');
    const clicked = result.stepsResult[1];
    expect(clicked?.attempts).toBeGreaterThan(1);
    expect(clicked?.logs).toMatch(/^Clicked #late \(try \d+; before: .*#late/);
    expect(pictures).toEqual([]);
    expect(events).toHaveLength(6);
  });

  it('end when they are used up, with the last error and one picture', async () => {
    const { result, pictures } = await shop.run([
      ['navigate', { url: shop.url('/') }],
      ['assertion', { selector: '#count', value: '7', timeoutMs: 30, retries: 2 }],
    ]);
    expect(result.stepsResult[1]).toMatchObject({ status: 'failed', attempts: 3, errorKind: 'assertion' });
    expect(pictures).toHaveLength(1);
  });

  it('are not for errors that cannot change', async () => {
    const blocked = await shop.run([['navigate', { url: '{{A}}', retries: 5, retryDelayMs: 60_000 }]], {
      variables: { A: 'file:///etc/passwd' },
    });
    expect(blocked.result.stepsResult).toMatchObject([{ errorKind: 'blocked' }]);
    expect(blocked.result.stepsResult[0]).not.toHaveProperty('attempts');
    const invalid = await shop.run([['navigate', { url: 'http://a.test', retries: '{{A}}' }]], {
      variables: { A: 'many' },
    });
    expect(invalid.result.stepsResult).toMatchObject([{ errorKind: 'invalid_data' }]);
  });
});

describe('a soft assertion', () => {
  it('lets the run go on, which fails at its end', async () => {
    const { result, pictures } = await shop.run([
      ['navigate', { url: shop.url('/') }],
      ['assertion', { selector: '#count', value: '7', timeoutMs: 50, soft: true }],
      ['assertion', { selector: '#count', value: '0', soft: true }],
      ['click', { selector: '#more' }],
    ]);
    expect(result.status).toBe('failed');
    expect(told(result)).toEqual(['1', '2 failed', '3', '4']);
    expect(result.stepsResult[1]).toMatchObject({ soft: true, screenshotUrl: expect.any(String) });
    expect(result.stepsResult[2]).not.toHaveProperty('soft');
    expect(pictures).toHaveLength(1);
    expect(result.error).toBeUndefined();
  });

  it('is as hard as any other where its data is wrong', async () => {
    const { result } = await shop.run(
      [
        ['assertion', { selector: '#a', value: '7', timeoutMs: '{{A}}', soft: true }],
        ['log', { message: 'not here' }],
      ],
      { variables: { A: 'long' } },
    );
    expect(result.stepsResult).toMatchObject([{ errorKind: 'invalid_data' }]);
    expect(result.stepsResult[0]).not.toHaveProperty('soft');
  });
});

describe('whoever watches a run', () => {
  const steps = [
    ['navigate', { url: 'about:blank' }],
    ['log', { message: 'one' }],
  ] as const;

  it('may be given time before each step, which is no time of the step', async () => {
    const { result } = await shop.run(steps, { slowMoMs: 700 });
    expect(result.durationMs).toBeGreaterThanOrEqual(1_400);
    expect(result.stepsResult[1]?.durationMs).toBeLessThan(700);
  });

  it('may hold each step back before it is told as started', async () => {
    const seen: string[] = [];
    await shop.run(steps, {
      beforeStep: async ({ nodeId, type }) => void seen.push(`before ${nodeId} ${type}`),
      onEvent: ({ type, nodeId }) => void seen.push(`${type} ${nodeId}`),
    });
    expect(seen).toEqual([
      'before 1 navigate',
      'step_start 1',
      'step_complete 1',
      'before 2 log',
      'step_start 2',
      'step_complete 2',
    ]);
  });

  it('holds back nothing any more when the run is stopped', async () => {
    const stop = new AbortController();
    const { result } = await shop.run(steps, {
      signal: stop.signal,
      beforeStep: () => {
        stop.abort(new CancelledError('enough'));
        return new Promise(() => {});
      },
    });
    expect(result).toMatchObject({ status: 'cancelled', stepsResult: [] });
  });
});
