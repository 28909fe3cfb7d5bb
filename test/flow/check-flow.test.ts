import { describe, expect, it } from 'vitest';
import { checkFlow } from '../../src/flow/check-flow.ts';

interface Node {
  id: string;
  type?: string;
  data?: Record<string, unknown>;
  [more: string]: unknown;
}

const click = (id: string): Node => ({ id, type: 'click', data: { selector: '#go' } });
const start: Node = { id: 's', type: 'start' };
const edge = (source: string, target: string, more = {}) => ({
  id: `${source}-${target}`,
  source,
  target,
  ...more,
});

function check(
  nodes: Node[],
  edges: Record<string, unknown>[],
  variables: Record<string, string> | null = {},
) {
  return checkFlow({ nodes, edges }, variables);
}

function problemsOf(
  nodes: Node[],
  edges: Record<string, unknown>[],
  variables: Record<string, string> | null = {},
): string[] {
  const checked = check(nodes, edges, variables);
  return checked.ok ? [] : checked.problems.map(({ message }) => message);
}

describe('a flow that can run', () => {
  it('is put in the order of its edges, whatever order the nodes stand in', () => {
    const checked = check(
      [click('c'), click('a'), start, click('b')],
      [edge('b', 'c'), edge('s', 'a'), edge('a', 'b')],
    );
    expect(checked).toMatchObject({
      ok: true,
      steps: [{ nodeId: 'a' }, { nodeId: 'b' }, { nodeId: 'c' }],
      warnings: [],
    });
  });

  it('may carry all that React Flow writes beside what a run needs', () => {
    const nodes = [
      { ...start, position: { x: 0, y: 0 }, measured: { width: 10, height: 5 }, selected: true },
      {
        ...click('a'),
        type: 'Click',
        data: { label: 'Go', selector: '#go', colour: 'red' },
        width: 100,
        handles: [],
      },
      { id: 'box', type: 'group', position: { x: 0, y: 0 }, data: {} },
    ];
    expect(
      check(nodes, [edge('s', 'a', { sourceHandle: null, animated: true, type: 'smoothstep' })]),
    ).toMatchObject({
      ok: true,
      steps: [{ nodeId: 'a', type: 'click', fields: { selector: '#go' } }],
      warnings: [],
    });
  });

  it('may have parallel edges between the same two nodes', () => {
    const edges = [edge('s', 'a'), edge('s', 'a', { id: 'x', targetHandle: 'driver' })];
    expect(check([start, click('a')], edges)).toMatchObject({ ok: true, steps: [{ nodeId: 'a' }] });
  });

  it('is warned about nodes that nothing leads to', () => {
    expect(check([start, click('a'), click('lost')], [edge('s', 'a')])).toMatchObject({
      ok: true,
      steps: [{ nodeId: 'a' }],
      warnings: ['node "lost" (click) is not connected to start and will not run'],
    });
  });

  it.each(['start', 'Start', 'START'])('may spell its start "%s"', (type) => {
    expect(check([{ id: 's', type }, click('a')], [edge('s', 'a')]).ok).toBe(true);
  });

  it('may be thousands of nodes long up to the limit', () => {
    const nodes = Array.from({ length: 2_000 }, (_, i) => click(`n${i}`));
    const edges = [edge('s', 'n0'), ...nodes.slice(1).map((n, i) => edge(`n${i}`, n.id))];
    expect(check([start, ...nodes], edges).ok).toBe(true);
    expect(problemsOf([start, ...nodes, click('last')], [...edges, edge('n1999', 'last')])).toEqual([
      'the flow has 2001 steps; 2000 are allowed',
    ]);
  });

  it('takes the field names other editors use, and numbers as text', () => {
    const nodes = [
      start,
      { id: 't', type: 'Fill', data: { selector: '#a', text: 7, timeout: '500' } },
      { id: 'x', type: 'assert', data: { selector: '#a', expectedText: 'seven' } },
      { id: 'w', type: 'wait', data: { duration: '250' } },
    ];
    expect(check(nodes, [edge('s', 't'), edge('t', 'x'), edge('x', 'w')])).toMatchObject({
      ok: true,
      steps: [
        { type: 'type', fields: { value: 7, timeoutMs: '500' } },
        { type: 'assertion', fields: { value: 'seven' } },
        { type: 'wait', fields: { ms: '250' } },
      ],
    });
  });
});

describe('a flow that cannot run', () => {
  it.each<[string, Node[], Record<string, unknown>[], string]>([
    ['no start', [click('a')], [], 'the flow has no start node'],
    ['several starts', [start, { id: 's2', type: 'start' }], [], 'the flow has 2 start nodes: "s", "s2"'],
    [
      'a fork',
      [start, click('a'), click('b')],
      [edge('s', 'a'), edge('s', 'b')],
      'node "s" forks to "a", "b"',
    ],
    [
      'a circle',
      [start, click('a'), click('b')],
      [edge('s', 'a'), edge('a', 'b'), edge('b', 'a')],
      'the flow runs in a circle: a -> b -> a',
    ],
    [
      'an edge onto itself',
      [start, click('a')],
      [edge('s', 'a'), edge('a', 'a')],
      'the flow runs in a circle: a -> a',
    ],
    [
      'a circle off the path',
      [start, click('a'), click('b')],
      [edge('a', 'b'), edge('b', 'a')],
      'the flow runs in a circle: a -> b -> a',
    ],
    ['a dangling edge', [start], [edge('s', 'gone')], 'edges[0] leads to no node: "gone" does not exist'],
    [
      'an unknown type',
      [start, { id: 'a', type: 'teleport' }],
      [edge('s', 'a')],
      'node "a" has the unknown type "teleport"',
    ],
    ['the same id twice', [start, click('a'), click('a')], [edge('s', 'a')], '"a" is used twice'],
    ['a node without a type', [start, { id: 'a' }], [edge('s', 'a')], 'nodes[1].type: is missing'],
    [
      'a node without an id',
      [start, { type: 'click' } as unknown as Node],
      [],
      'nodes[1].id: must be a text',
    ],
    [
      'a click on nothing',
      [start, { id: 'a', type: 'click', data: {} }],
      [edge('s', 'a')],
      'node "a" (click): selector: is missing',
    ],
    [
      'a type without a value',
      [start, { id: 'a', type: 'type', data: { selector: '#a' } }],
      [edge('s', 'a')],
      'value: is missing',
    ],
    [
      'a wait of no number',
      [start, { id: 'a', type: 'wait', data: { ms: 'soon' } }],
      [edge('s', 'a')],
      'ms: must be a whole number of milliseconds',
    ],
    [
      'an endless wait',
      [start, { id: 'a', type: 'wait', data: { ms: 1e12 } }],
      [edge('s', 'a')],
      'ms: must be at most 900000',
    ],
    [
      'an address without scheme',
      [start, { id: 'a', type: 'navigate', data: { url: 'localhost:3000/x' } }],
      [edge('s', 'a')],
      'write https://localhost:3000/x',
    ],
    [
      'a local file',
      [start, { id: 'a', type: 'navigate', data: { url: 'file:///etc/passwd' } }],
      [edge('s', 'a')],
      'file: addresses are not opened',
    ],
    [
      'an extract into nothing',
      [start, { id: 'a', type: 'extract', data: { selector: '#a' } }],
      [edge('s', 'a')],
      'variable: is missing',
    ],
    [
      'an unset variable',
      [start, { id: 'a', type: 'navigate', data: { url: '{{BASE}}/x' } }],
      [edge('s', 'a')],
      'the variable BASE is not set',
    ],
  ])('is refused for %s', (_, nodes, edges, message) => {
    const problems = problemsOf(nodes, edges);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(message);
  });

  it('hears all its problems at once', () => {
    const problems = problemsOf(
      [
        start,
        { id: 's2', type: 'Start' },
        { id: 'a', type: 'teleport' },
        { id: 'b', type: 'click', data: {} },
        click('c'),
      ],
      [edge('s', 'b'), edge('b', 'c'), edge('c', 'b'), edge('s2', 'gone'), edge('b', 'a')],
    );
    expect(problems.map((problem) => problem.replace(/"[^"]*"/g, '_')).sort()).toEqual(
      [
        'edges[3] leads to no node: _ does not exist',
        'node _ (click): selector: is missing',
        'node _ has the unknown type _',
        'node _ forks to _, _; a node leads to one node only',
        'the flow has 2 start nodes: _, _',
        'the flow runs in a circle: b -> c -> b',
      ].sort(),
    );
  });
});

describe('a type that nobody knows', () => {
  it.each([
    ['clik', 'node "a" has the unknown type "clik"; did you mean "click"?'],
    ['SubflowStrat', 'node "a" has the unknown type "SubflowStrat"; did you mean "subflowStart"?'],
    ['teleport', 'node "a" has the unknown type "teleport"'],
  ])('is guessed where it is near to one: %s', (type, message) => {
    expect(problemsOf([start, { id: 'a', type }], [edge('s', 'a')])).toEqual([message]);
  });
});

describe('all problems at once', () => {
  it('includes what lies behind a broken node, without inventing more', () => {
    const nodes = [
      start,
      { id: 'a', data: {} },
      { id: 'b', type: 'click', data: {} },
      { id: 'c', type: 'navigate', data: {} },
    ];
    const checked = check(nodes, [edge('s', 'a'), edge('a', 'b'), edge('b', 'c')]);
    expect(checked).toMatchObject({ ok: false, warnings: [] });
    expect(problemsOf(nodes, [edge('s', 'a'), edge('a', 'b'), edge('b', 'c')])).toEqual([
      'nodes[1].type: is missing',
      'node "b" (click): selector: is missing',
      'node "c" (navigate): url: is missing',
    ]);
  });

  it('includes what is no node or edge at all', () => {
    const nodes = [start, null, 5, { id: 'a', type: 'click', data: {} }] as unknown as Node[];
    expect(problemsOf(nodes, [edge('s', 'a'), 'x' as unknown as Record<string, unknown>])).toEqual([
      'nodes[1]: must be an object',
      'nodes[2]: must be an object',
      'edges[1]: must be an object',
      'node "a" (click): selector: is missing',
    ]);
  });

  it('includes the fields of nodes that no start leads to', () => {
    expect(problemsOf([{ id: 'w', type: 'wait', data: { ms: 'q' } }], [])).toEqual([
      'the flow has no start node (type "start")',
      'node "w" (wait): ms: must be a whole number of milliseconds',
    ]);
  });
});

describe('variables of a flow', () => {
  const extract = { id: 'x', type: 'extract', data: { selector: '#n', variable: 'N' } };
  const use = { id: 'u', type: 'type', data: { selector: '#{{N}}', value: 'no {{ N }}' } };

  it('may come from an earlier extract', () => {
    expect(check([start, extract, use], [edge('s', 'x'), edge('x', 'u')]).ok).toBe(true);
  });

  it('are missing when the extract comes later', () => {
    expect(problemsOf([start, extract, use], [edge('s', 'u'), edge('u', 'x')])).toEqual([
      'node "u" (type): the variable N is not set',
    ]);
  });

  it('are taken on trust where they are not known', () => {
    expect(check([start, use], [edge('s', 'u')], null).ok).toBe(true);
  });

  it('are checked by what they hold', () => {
    const wait = { id: 'w', type: 'wait', data: { ms: '{{MS}}' } };
    expect(check([start, wait], [edge('s', 'w')], { MS: '20' }).ok).toBe(true);
    expect(problemsOf([start, wait], [edge('s', 'w')], { MS: 'long' })).toEqual([
      'node "w" (wait): ms: must be a whole number of milliseconds',
    ]);
  });

  it('may be secrets of the machine, of which only the names are known', () => {
    const open = { id: 'o', type: 'navigate', data: { url: '{{BASE}}' } };
    const flow = { nodes: [start, open, use], edges: [edge('s', 'o'), edge('o', 'u')] };
    // What a flow calls by the same name is not the value, and is not judged.
    expect(checkFlow(flow, { BASE: 'no address' }, ['N', 'BASE']).ok).toBe(true);
    expect(checkFlow(flow, { BASE: 'no address' }, []).ok).toBe(false);
  });

  it('do not reach into the prototype of an object', () => {
    const node = { id: 'a', type: 'type', data: { selector: '#a', value: '{{constructor}}' } };
    expect(problemsOf([start, node], [edge('s', 'a')])).toEqual([
      'node "a" (type): the variable constructor is not set',
    ]);
  });
});
