import { describe, expect, it } from 'vitest';
import { checkFlow } from '../../src/flow/check-flow.ts';
import { type Block, stepsIn } from '../../src/flow/step.ts';
import { drawnEdges } from '../support/drawn-flow.ts';

type Node = { id: string; type: string; data: Record<string, unknown> };

const start: Node = { id: 's', type: 'start', data: {} };
const click = (id: string): Node => ({ id, type: 'click', data: { selector: '#go' } });
const when = (id: string): Node => ({ id, type: 'if', data: { subject: 'visible', selector: '#go' } });
const loop = (id: string, data: Record<string, unknown> = {}): Node => ({
  id,
  type: 'loop',
  data: { kind: 'times', times: 3, ...data },
});
const head = (id: string, name: string): Node => ({ id, type: 'subflowStart', data: { name } });
const call = (id: string, subflow: string, more = {}): Node => ({
  id,
  type: 'subflow',
  data: { subflow, ...more },
});

function check(nodes: Node[], text: string, variables: Record<string, string> | null = {}) {
  return checkFlow({ nodes: [start, ...nodes], edges: drawnEdges(text) }, variables);
}

function problems(nodes: Node[], text: string): string[] {
  const checked = check(nodes, text);
  return checked.ok ? [] : checked.problems.map(({ message }) => message);
}

/** `a c{true: b; false: } d` */
function written(block: Block): string {
  return block
    .map(({ nodeId, blocks }) => {
      if (blocks === undefined) return nodeId;
      const within = Object.entries(blocks).map(([branch, steps]) => `${branch}: ${written(steps)}`);
      return `${nodeId}{${within.join('; ')}}`;
    })
    .join(' ');
}

function planOf(nodes: Node[], text: string): string {
  const checked = check(nodes, text);
  if (!checked.ok) throw new Error(checked.problems.map(({ message }) => message).join('\n'));
  return written(checked.steps);
}

describe('an if', () => {
  it('has in its branches what lies between it and where they meet', () => {
    expect(planOf([when('c'), click('a'), click('b'), click('d')], 's>c c:true>a c:false>b a>d b>d')).toBe(
      'c{true: a; false: b} d',
    );
  });

  it('may have one branch only, and the flow goes on where it comes to', () => {
    expect(planOf([when('c'), click('a'), click('d')], 's>c c:true>a a>d c:false>d')).toBe(
      'c{true: a; false: } d',
    );
  });

  it('ends the flow along a branch without an edge', () => {
    expect(planOf([when('c'), click('a'), click('d')], 's>c c:true>a a>d')).toBe('c{true: a d; false: }');
  });

  it('may share steps with the branch of another if', () => {
    const checked = check(
      [when('c'), when('k'), click('a'), click('b'), click('d')],
      's>c c:true>k k:true>a k:false>b c:false>b a>d b>d',
    );
    if (!checked.ok) throw new Error('refused');
    expect(written(checked.steps)).toBe('c{true: k{true: a; false: b}; false: b} d');
    expect(stepsIn(checked.steps).map(({ nodeId }) => nodeId)).toHaveLength(5);
  });

  it.each(['Yes', 'then', 'source-true', 'TRUE'])('takes "%s" for its edge true', (name) => {
    expect(planOf([when('c'), click('a')], `s>c c:${name}>a`)).toBe('c{true: a; false: }');
  });

  it('takes the label of an edge where it has no handle', () => {
    const flow = {
      nodes: [start, when('c'), click('a')],
      edges: [
        { source: 's', target: 'c' },
        { source: 'c', target: 'a', label: 'no' },
      ],
    };
    expect(checkFlow(flow, {})).toMatchObject({ ok: true, steps: [{ blocks: { true: [], false: [{}] } }] });
  });

  it('is refused where an edge does not say which branch it is', () => {
    expect(problems([when('c'), click('a')], 's>c c>a')).toEqual([
      'the edge from "c" to "a" says none of true, false (sourceHandle)',
    ]);
    expect(problems([when('c'), click('a')], 's>c c:maybe>a')).toEqual([
      'the edge from "c" to "a" says none of true, false (sourceHandle), but "maybe"',
    ]);
  });

  it('is refused where a branch forks', () => {
    expect(problems([when('c'), click('a'), click('b')], 's>c c:true>a c:true>b')).toEqual([
      'node "c" forks to "a", "b" along "true"; a branch leads to one node only',
    ]);
  });
});

describe('a loop', () => {
  it('repeats what its edge body leads to, and goes on along done', () => {
    expect(planOf([loop('l'), click('a'), click('b'), click('d')], 's>l l:body>a a>b l:done>d')).toBe(
      'l{body: a b} d',
    );
  });

  it('may have its body end with an edge back to it', () => {
    expect(planOf([loop('l'), click('a'), click('d')], 's>l l:body>a a>l l:done>d')).toBe('l{body: a} d');
  });

  it('may stand in another, and begin its body with a branch', () => {
    expect(
      planOf(
        [loop('l'), loop('m'), when('c'), click('a'), click('b')],
        's>l l:body>m m:body>c c:true>a a>m c:false>m m:done>b b>l',
      ),
    ).toBe('l{body: m{body: c{true: a; false: }} b}');
  });

  it('takes other words for its edges', () => {
    expect(planOf([loop('l'), click('a'), click('d')], 's>l l:each>a l:after>d')).toBe('l{body: a} d');
  });

  it('is warned about when it has no body', () => {
    expect(check([loop('l')], 's>l')).toMatchObject({ ok: true, warnings: ['node "l" (loop) has no body'] });
  });

  it.each([
    [
      'a way out of its body',
      's>l l:body>a a>b l:done>b',
      'node "b" is in the body of the loop "l", but "l" leads to it from outside',
    ],
    [
      'a way into its body',
      's>c c:true>l c:false>b l:body>a a>b',
      'node "b" is in the body of the loop "l", but "c" leads to it from outside',
    ],
    ['a way back from behind it', 's>l l:body>a l:done>b b>l', 'the flow runs in a circle: l -> b -> l'],
    [
      'a way back to a loop around it',
      's>l l:body>m m:body>a a>l m:done>b',
      'the loops "l" and "m" lead into each other; what is in the body of a loop may lead back to that loop only',
    ],
    ['a body that is itself', 's>l l:body>l', 'the flow runs in a circle: l -> l'],
  ])('is refused for %s', (_, text, message) => {
    const found = problems([when('c'), loop('l'), loop('m'), click('a'), click('b')], text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
  });
});

describe('a subflow', () => {
  it('runs within each node that names it', () => {
    expect(
      planOf(
        [head('h', 'Log in'), click('a'), call('x', 'Log in'), click('b'), call('y', 'Log in')],
        's>x x>b b>y h>a',
      ),
    ).toBe('x{body: a} b y{body: a}');
  });

  it('may run another', () => {
    expect(
      planOf([head('h', 'A'), head('k', 'B'), click('a'), call('x', 'A'), call('y', 'B')], 's>x h>y k>a'),
    ).toBe('x{body: y{body: a}}');
  });

  it('is warned about when nothing runs it, once', () => {
    expect(check([click('a'), head('h', 'A'), click('b')], 's>a h>b')).toMatchObject({
      ok: true,
      warnings: ['node "h" (subflowStart) begins a subflow that is never run'],
    });
  });

  it.each<[string, Node[], string, string]>([
    [
      'a name nobody has',
      [call('x', 'Log im'), head('h', 'Log in')],
      's>x',
      'node "x" (subflow): subflow: there is no subflow "Log im" (a node of the type subflowStart with that name); did you mean "Log in"?',
    ],
    [
      'a name that two have',
      [call('x', 'A'), head('h', 'A'), head('k', 'A')],
      's>x',
      'node "k" (subflowStart): name: there is another subflow "A" ("h")',
    ],
    [
      'a field that says nothing',
      [call('x', 'A'), { ...head('h', 'A'), data: { name: 'A', variables: { B: '1' }, label: 'Begin' } }],
      's>x',
      'node "h" (subflowStart): unknown field "variables"; known is name',
    ],
    ['no name', [click('x'), head('h', ' ')], 's>x', 'node "h" (subflowStart): name: is missing'],
    [
      'running itself',
      [call('x', 'A'), head('h', 'A'), call('y', 'B'), head('k', 'B'), call('z', 'A')],
      's>x h>y k>z',
      'a subflow may not run itself: A -> B -> A',
    ],
    [
      'an edge into it',
      [click('a'), call('x', 'A'), head('h', 'A'), click('b')],
      's>x x>a a>h h>b',
      'node "a" leads into the subflow "h"; only a node of the type subflow runs one',
    ],
    [
      'a name that is a variable',
      [call('x', '{{WHICH}}'), head('h', 'A')],
      's>x',
      'node "x" (subflow): subflow: must be a name; a variable cannot choose a subflow',
    ],
  ])('is refused for %s', (_, nodes, text, message) => {
    const checked = checkFlow({ nodes: [start, ...nodes], edges: drawnEdges(text) }, null);
    expect(checked.ok ? [] : checked.problems.map((problem) => problem.message)).toEqual([message]);
  });
});

describe('variables along the way', () => {
  const use = (id: string, name: string): Node => ({
    id,
    type: 'type',
    data: { selector: '#a', value: `{{${name}}}` },
  });
  const set = (id: string, variable: string): Node => ({
    id,
    type: 'setVariable',
    data: { variable, value: '1' },
  });
  const unset = (id: string, name: string) => [`node "${id}" (type): the variable ${name} is not set`];

  it('are known behind a branch that sets them, but not in the other branch', () => {
    const nodes = [when('c'), set('a', 'A'), use('b', 'A'), use('d', 'A')];
    expect(problems(nodes, 's>c c:true>a c:false>b a>d b>d')).toEqual(unset('b', 'A'));
  });

  it('are known in the body of the loop that sets them, and what the body sets behind it', () => {
    const nodes = [loop('l', { as: 'I' }), use('a', 'I'), set('b', 'B'), use('d', 'B')];
    expect(problems(nodes, 's>l l:body>a a>b b>l l:done>d')).toEqual([]);
    expect(problems([loop('l'), use('a', 'B'), set('b', 'B')], 's>l l:body>a a>b')).toEqual(unset('a', 'B'));
  });

  it('are given to a subflow, and what it sets is known behind it', () => {
    const nodes = [
      call('x', 'A', { variables: { WHO: 'Ann' } }),
      head('h', 'A'),
      use('a', 'WHO'),
      call('y', 'B'),
      head('k', 'B'),
      set('b', 'DEEP'),
      use('d', 'DEEP'),
    ];
    expect(problems(nodes, 's>x h>a a>y k>b x>d')).toEqual([]);
    expect(problems([...nodes, use('e', 'LATE')], 's>x h>a a>y k>b x>e e>d')).toEqual(unset('e', 'LATE'));
  });

  it.each([
    ['evaluate', { script: 'return 1', variable: 'A' }],
    ['dialog', { variable: 'A' }],
    ['download', { variable: 'A' }],
    ['extract', { selector: '#a', variable: 'A' }],
  ])('are set by %s', (type, data) => {
    expect(problems([{ id: 'a', type, data }, use('b', 'A')], 's>a a>b')).toEqual([]);
  });
});

describe('a hostile graph', () => {
  const many = (count: number, make: (index: number) => Node) =>
    Array.from({ length: count }, (_, i) => make(i));

  it('of ifs whose branches share everything is planned in a moment', () => {
    // As a tree of blocks it would have two to the power of a thousand.
    const ifs = many(1_000, (i) => when(`c${i}`));
    const tail = many(1_000, (i) => click(`t${i}`));
    const all = [
      { source: 's', target: 'c0' },
      ...ifs.flatMap((_, i) => [
        { source: `c${i}`, sourceHandle: 'true', target: i < 999 ? `c${i + 1}` : 't0' },
        { source: `c${i}`, sourceHandle: 'false', target: i < 998 ? `c${i + 2}` : `t${i % 2}` },
      ]),
      ...tail.slice(1).map((_, i) => ({ source: `t${i}`, target: `t${i + 1}` })),
    ];
    const startedAt = performance.now();
    const checked = checkFlow({ nodes: [start, ...ifs, ...tail], edges: all }, {});
    expect(checked.ok && stepsIn(checked.steps).length).toBe(2_000);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('of subflows that run each other twice is planned in a moment', () => {
    const nodes = many(500, (i) => head(`h${i}`, `n${i}`)).concat(
      many(499, (i) => call(`a${i}`, `n${i + 1}`)),
      many(499, (i) => call(`b${i}`, `n${i + 1}`)),
      click('end'),
      call('go', 'n0'),
    );
    const all = [
      { source: 's', target: 'go' },
      ...many(499, (i) => call(`${i}`, '')).flatMap((_, i) => [
        { source: `h${i}`, target: `a${i}` },
        { source: `a${i}`, target: `b${i}` },
      ]),
      { source: 'h499', target: 'end' },
    ];
    const startedAt = performance.now();
    const checked = checkFlow({ nodes: [start, ...nodes], edges: all }, {});
    expect(checked.ok && stepsIn(checked.steps).length).toBe(1_000);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('of nothing but circles is refused in a few words', () => {
    const ifs = many(2_000, (i) => when(`c${i}`));
    const all = ifs.flatMap((_, i) => [
      { source: `c${i}`, sourceHandle: 'true', target: `c${(i + 1) % 2_000}` },
      { source: `c${i}`, sourceHandle: 'false', target: 'c0' },
    ]);
    const checked = checkFlow({ nodes: [start, ...ifs], edges: [{ source: 's', target: 'c0' }, ...all] }, {});
    expect(checked.ok).toBe(false);
    expect(JSON.stringify(checked).length).toBeLessThan(50_000);
    expect(JSON.stringify(checked)).toContain('c8 -> c9 -> … -> c');
  });

  it('of loops in loops in loops is planned or refused in a moment', () => {
    const loops = many(200, (i) => loop(`l${i}`));
    const nest = loops.map((_, i) => ({
      source: i === 0 ? 's' : `l${i - 1}`,
      sourceHandle: 'body',
      target: `l${i}`,
    }));
    expect(checkFlow({ nodes: [start, ...loops], edges: nest }, {}).ok).toBe(true);
    const tangled = loops.flatMap((_, i) => [
      { source: `l${i}`, sourceHandle: 'body', target: `l${(i + 1) % 200}` },
      { source: `l${i}`, sourceHandle: 'done', target: `l${(i + 7) % 200}` },
    ]);
    const checked = checkFlow({ nodes: [start, ...loops], edges: [...nest.slice(0, 1), ...tangled] }, {});
    expect(checked.ok).toBe(false);
    expect(checked.ok ? 0 : checked.problems.length).toBeLessThan(1_000);
    expect(
      problems(
        many(201, (i) => loop(`l${i}`)),
        's>l0',
      ),
    ).toEqual(['the flow has 201 loops; 200 are allowed']);
  });
});
