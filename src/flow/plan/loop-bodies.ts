import type { FlowProblem } from '../flow-problem.ts';
import type { GraphNode } from '../graph.ts';
import { nodeTypeNamed } from '../node-types/node-types.ts';
import { reachFrom } from './reach.ts';
import { targetsIn, type Ways } from './ways.ts';

/** Loops a flow may have. Each is looked at with all that can be come to from it. */
const maxLoops = 200;
/** Problems told of one loop: there may be one for every edge. */
const maxProblems = 5;

/** The body of every loop by the loop's id: all that its edge `body` comes to without passing the loop itself. */
export type LoopBodies = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Finds the bodies, and what keeps them from being bodies: a way in from outside, or one back to another loop than the
 * one they are in. `reached` are the nodes that may run; what others lead to does not matter.
 */
export function loopBodies(
  nodes: readonly GraphNode[],
  ways: Ways,
  reached: ReadonlySet<string>,
): { bodies: LoopBodies; problems: FlowProblem[] } {
  const loops = nodes.filter(({ type }) => nodeTypeNamed(type) === 'loop').map(({ id }) => id);
  if (loops.length > maxLoops) {
    const message = `the flow has ${loops.length} loops; ${maxLoops} are allowed`;
    return { bodies: new Map(), problems: [{ message }] };
  }
  const targets = targetsIn(ways);
  const bodies = new Map(
    loops.map((loop) => {
      const first = (ways.get(loop) ?? []).filter(({ branch }) => branch === 'body');
      return [
        loop,
        reachFrom(
          first.map(({ target }) => target),
          targets,
          loop,
        ),
      ];
    }),
  );
  const problems: FlowProblem[] = [];
  const entangled = new Set<string>();
  for (const [loop, body] of bodies) {
    const other = loops.find((id) => body.has(id) && bodies.get(id)?.has(loop));
    if (other === undefined) continue;
    entangled.add(loop);
    // Told once, for both of them.
    if (entangled.has(other)) continue;
    problems.push({
      nodeId: loop,
      message: `the loops "${loop}" and "${other}" lead into each other; what is in the body of a loop may lead back to that loop only`,
    });
  }
  for (const [loop, body] of bodies) {
    if (!entangled.has(loop)) problems.push(...waysIn(loop, body, ways, reached));
  }
  return { bodies, problems };
}

/** The ways without those that lead back from a body to its loop: where a body ends. */
export function withoutWaysBack(ways: Ways, bodies: LoopBodies): Ways {
  return new Map(
    [...ways].map(([id, all]) => [id, all.filter(({ target }) => !bodies.get(target)?.has(id))]),
  );
}

function waysIn(
  loop: string,
  body: ReadonlySet<string>,
  ways: Ways,
  reached: ReadonlySet<string>,
): FlowProblem[] {
  const problems: FlowProblem[] = [];
  for (const [source, all] of ways) {
    if (body.has(source) || !reached.has(source)) continue;
    for (const { branch, target } of all) {
      if (!body.has(target) || (source === loop && branch === 'body')) continue;
      if (problems.length === maxProblems) return problems;
      problems.push({
        nodeId: target,
        message: `node "${target}" is in the body of the loop "${loop}", but "${source}" leads to it from outside; a body ends where nothing follows or with an edge back to its loop`,
      });
    }
  }
  return problems;
}
