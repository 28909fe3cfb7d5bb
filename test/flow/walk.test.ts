import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkFlow } from '../../src/flow/check-flow.ts';
import type { Block } from '../../src/flow/step.ts';
import { walkThrough } from '../../src/flow/walk.ts';

interface Node {
  id: string;
  type: string;
  data: Record<string, unknown>;
}
interface Edge {
  source: string;
  target: string;
  sourceHandle?: string;
}
interface Graph {
  nodes: Node[];
  edges: Edge[];
}

/** Longest walk that is compared: flows in loops may go on for ever. */
const maxVisits = 300;

/** Decides by dice, the same for both walks: yes or no, at each visit of a node that branches. */
type Dice = readonly boolean[];

/** What the edges say, followed one by one with nothing but the graph at hand. */
function plainWalk({ nodes, edges }: Graph, dice: Dice): string[] {
  const visits: string[] = [];
  const typeOf = new Map(nodes.map(({ id, type }) => [id, type]));
  const headOf = new Map(
    nodes.filter(({ type }) => type === 'subflowStart').map(({ id, data }) => [data['name'], id]),
  );
  const on = (id: string, handle?: string): string | undefined =>
    edges.find((edge) => edge.source === id && edge.sourceHandle === handle)?.target;
  const follow = (from: string | undefined, loop: string | null): void => {
    for (let id = from; id !== undefined && id !== loop && visits.length < maxVisits; ) {
      visits.push(id);
      const decision = dice[visits.length % dice.length] ?? false;
      switch (typeOf.get(id)) {
        case 'if':
          id = on(id, String(decision));
          break;
        case 'loop': {
          const body = on(id, 'body');
          for (let again = decision; again && visits.length < maxVisits; ) {
            follow(body, id);
            if (visits.length >= maxVisits) return;
            visits.push(id);
            again = dice[visits.length % dice.length] ?? false;
          }
          id = on(id, 'done');
          break;
        }
        case 'subflow': {
          const name = nodes.find((node) => node.id === id)?.data['subflow'];
          follow(on(headOf.get(name) ?? ''), null);
          id = on(id);
          break;
        }
        default:
          id = on(id);
      }
    }
  };
  follow(on('s'), null);
  return visits.slice(0, maxVisits);
}

function planWalk(steps: Block, dice: Dice): string[] {
  const visits: string[] = [];
  const walk = walkThrough(steps);
  for (let { step } = walk; step !== null && visits.length < maxVisits; { step } = walk) {
    visits.push(step.nodeId);
    const decision = dice[visits.length % dice.length] ?? false;
    const branch =
      step.type === 'if'
        ? String(decision)
        : step.type === 'loop'
          ? decision
            ? 'body'
            : 'done'
          : step.type === 'subflow'
            ? 'body'
            : undefined;
    walk.goOn({ branch }, () => {});
  }
  return visits;
}

function compare(graph: Graph, dice: Dice): void {
  const checked = checkFlow(graph, null);
  if (!checked.ok) throw new Error(checked.problems.map(({ message }) => message).join('\n'));
  expect(planWalk(checked.steps, dice)).toEqual(plainWalk(graph, dice));
}

const dice = fc.array(fc.boolean(), { minLength: 1, maxLength: 40 });

/** A part of a graph that is entered at one node: nodes in an order, edges from earlier to later ones. */
interface Part {
  kinds: { kind: 'click' | 'if' | 'loop' | 'subflow'; one: number; other: number; body: Part | null }[];
}

const { part } = fc.letrec<{ part: Part }>((tie) => ({
  part: fc.record({
    kinds: fc.array(
      fc.record({
        kind: fc.constantFrom('click', 'if', 'if', 'loop', 'subflow'),
        one: fc.nat(6),
        other: fc.nat(6),
        body: fc.option(tie('part'), { depthSize: 'small', maxDepth: 3 }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  }),
}));

let drawnIds = 0;
function nextId(): string {
  drawnIds += 1;
  return `n${drawnIds}`;
}

/** Writes a part into the graph; the first of its nodes. What nothing leads to is not written. */
function write(graph: Graph, { kinds }: Part, back: string | null, subflows: number): string {
  const ids = kinds.map(() => nextId());
  const reached = new Set([ids[0]]);
  kinds.forEach(({ kind, one, other, body }, index) => {
    const id = ids[index] ?? '';
    if (!reached.has(id)) return;
    // Far enough is the end of the part, where a body may lead back to its loop.
    const lead = (distance: number, sourceHandle?: string): void => {
      const target = ids[index + 1 + distance] ?? (distance % 2 === 0 ? back : null);
      if (target === null) return;
      graph.edges.push({ source: id, target, ...(sourceHandle === undefined ? {} : { sourceHandle }) });
      if (ids.includes(target)) reached.add(target);
    };
    if (kind === 'if') {
      graph.nodes.push({ id, type: 'if', data: { subject: 'visible', selector: '#go' } });
      lead(one, 'true');
      lead(other, 'false');
    } else if (kind === 'loop') {
      graph.nodes.push({ id, type: 'loop', data: { kind: 'times', times: 2 } });
      if (body !== null) {
        graph.edges.push({ source: id, sourceHandle: 'body', target: write(graph, body, id, subflows) });
      }
      lead(one, 'done');
    } else if (kind === 'subflow' && subflows > 0) {
      graph.nodes.push({ id, type: 'subflow', data: { subflow: `sub${one % subflows}` } });
      lead(other);
    } else {
      graph.nodes.push({ id, type: 'click', data: { selector: '#go' } });
      lead(one);
    }
  });
  return ids[0] ?? '';
}

describe('a walk through the plan of a flow', () => {
  it('comes to the same nodes in the same order as one along the edges of the graph', () => {
    fc.assert(
      fc.property(part, fc.array(part, { maxLength: 3 }), dice, (main, subflows, thrown) => {
        const graph: Graph = { nodes: [{ id: 's', type: 'start', data: {} }], edges: [] };
        graph.edges.push({ source: 's', target: write(graph, main, null, subflows.length) });
        subflows.forEach((one, index) => {
          graph.nodes.push({ id: `h${index}`, type: 'subflowStart', data: { name: `sub${index}` } });
          // Runs only those before it, so that none comes to itself.
          graph.edges.push({ source: `h${index}`, target: write(graph, one, null, index) });
        });
        compare(graph, thrown);
      }),
      { numRuns: 500 },
    );
  });

  it('does so for every graph that is not refused, and every graph is planned or refused', () => {
    const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
    const types = fc.constantFrom('click', 'click', 'if', 'if', 'loop', 'subflow', 'subflowStart');
    const edge = fc.record({
      source: fc.oneof(fc.constant('s'), id),
      target: id,
      handle: fc.constantFrom(0, 0, 1),
    });
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.array(types, { minLength: 6, maxLength: 6 }),
        fc.array(edge, { maxLength: 9 }),
        dice,
        (all, drawn, thrown) => {
          const nodes: Node[] = all.map((type, index) => ({
            id: 'abcdef'[index] ?? '',
            type,
            data:
              type === 'if'
                ? { subject: 'visible', selector: '#go' }
                : type === 'loop'
                  ? { kind: 'times', times: 2 }
                  : type === 'click'
                    ? { selector: '#go' }
                    : { [type === 'subflow' ? 'subflow' : 'name']: 'sub' },
          }));
          const typeOf = new Map(nodes.map((node) => [node.id, node.type]));
          const handles: Record<string, string[]> = { if: ['true', 'false'], loop: ['body', 'done'] };
          const edges = drawn.map(({ source, target, handle }) => {
            const sourceHandle = handles[typeOf.get(source) ?? '']?.[handle];
            return { source, target, ...(sourceHandle === undefined ? {} : { sourceHandle }) };
          });
          const graph = { nodes: [{ id: 's', type: 'start', data: {} }, ...nodes], edges };
          const checked = checkFlow(graph, null);
          if (!checked.ok) {
            expect(checked.problems.length).toBeGreaterThan(0);
            return;
          }
          accepted += 1;
          compare(graph, thrown);
        },
      ),
      { numRuns: 4_000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });
});

describe('what lies ahead of a step', () => {
  const step = (nodeId: string) => ({ nodeId, type: 'click', fields: {} }) as const;

  it('is the rest of its block and of those around it, up to the end of a body', () => {
    const when = { nodeId: 'c', type: 'if', fields: {}, blocks: { true: [step('a'), step('b')] } } as const;
    const loop = { nodeId: 'l', type: 'loop', fields: {}, blocks: { body: [when, step('d')] } } as const;
    const walk = walkThrough([loop, step('e')]);
    const ahead = (): string =>
      walk
        .ahead()
        .map(({ nodeId }) => nodeId)
        .join(' ');
    const seen = [ahead()];
    for (const branch of ['body', 'true', undefined, undefined, undefined, 'done']) {
      walk.goOn({ branch }, () => {});
      seen.push(`${walk.step?.nodeId}: ${ahead()}`);
    }
    expect(seen).toEqual(['e', 'c: d', 'a: b d', 'b: d', 'd: ', 'l: e', 'e: ']);
  });
});

describe('rounds', () => {
  const click = { nodeId: 'a', type: 'click', fields: {} } as const;
  const inner = { nodeId: 'm', type: 'loop', fields: {}, blocks: { body: [click] } } as const;
  const outer = { nodeId: 'l', type: 'loop', fields: {}, blocks: { body: [inner] } } as const;

  it('are counted from 1 for each loop around a step, and what a round holds is set before it', () => {
    const seen: string[] = [];
    const walk = walkThrough([outer]);
    for (let { step } = walk; step !== null; { step } = walk) {
      seen.push(`${step.nodeId} ${walk.rounds().join('.')}`);
      const decision =
        step === outer
          ? { branch: 'body', values: ['x', 'y'] }
          : { branch: step === inner && walk.roundsDone() < 2 ? 'body' : 'done' };
      walk.goOn(decision, (loop, value) => seen.push(`${loop.nodeId}=${String(value)}`));
    }
    const round = (one: number) => [
      `m ${one}`,
      'm=0',
      `a ${one}.1`,
      `m ${one}`,
      'm=1',
      `a ${one}.2`,
      `m ${one}`,
    ];
    expect(seen).toEqual(['l ', 'l=x', ...round(1), 'l=y', ...round(2)]);
  });
});
