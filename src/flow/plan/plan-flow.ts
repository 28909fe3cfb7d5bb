import { limits } from '../../protocol/limits.ts';
import type { FlowProblem } from '../flow-problem.ts';
import { type Graph, type GraphNode, looseDecorations } from '../graph.ts';
import { isStart, isSubflowStart, nodeTypeNamed } from '../node-types/node-types.ts';
import { type Blocks, blocksOf } from './blocks.ts';
import { circlesIn, circleText } from './circles.ts';
import { type LoopBodies, loopBodies, withoutWaysBack } from './loop-bodies.ts';
import { orderFrom, reachFrom } from './reach.ts';
import { type Calls, recursions, subflowCalls, waysIntoHeads } from './subflows.ts';
import { targetsIn, type Ways, waysOf } from './ways.ts';

/** What a flow runs, what keeps its graph from running, and what is merely odd. */
export interface FlowPlan {
  /** Every node that may run, each once. Where the graph has no problem, none stands before one that leads to it. */
  order: GraphNode[];
  /** Null where the graph has problems. */
  shape: PlanShape | null;
  problems: FlowProblem[];
  warnings: string[];
}

/** The graph in the form it runs in. */
export interface PlanShape extends Blocks {
  /** Id of the start node. */
  start: string;
  /** Without circles: where a loop's body ends there is no way on. */
  ways: Ways;
  bodies: LoopBodies;
  calls: Calls;
}

/** Follows the edges from the start node to the end, into branches, bodies and subflows. Nothing is chosen silently. */
export function planFlow(graph: Graph): FlowPlan {
  const { nodes } = graph;
  const { ways, problems } = waysOf(graph);
  const { calls, problems: callProblems } = subflowCalls(nodes);
  const starts = nodes.filter(({ type }) => isStart(type)).map(({ id }) => id);
  if (starts.length === 0) problems.push({ message: 'the flow has no start node (type "start")' });
  if (starts.length > 1) {
    const list = starts.map((id) => `"${id}"`).join(', ');
    problems.push({ message: `the flow has ${starts.length} start nodes: ${list}` });
  }
  problems.push(...callProblems);

  const reached = reachFrom(starts, withCalls(targetsIn(ways), calls));
  const { bodies, problems: bodyProblems } = loopBodies(nodes, ways, reached);
  const forward = withoutWaysBack(ways, bodies);
  const targets = targetsIn(forward);
  problems.push(
    ...bodyProblems,
    ...waysIntoHeads(nodes, ways, reached),
    ...recursions(nodes, calls, targets),
  );
  for (const circle of circlesIn(targets)) {
    problems.push({
      nodeId: circle[0] ?? '',
      message: `the flow runs in a circle: ${circleText(circle)}`,
    });
  }

  const nodesById = new Map(nodes.map((node) => [node.id, node]));
  const steps = (ids: Iterable<string>): GraphNode[] =>
    [...ids].flatMap((id) => nodesById.get(id) ?? []).filter(({ type }) => !isHead(type));
  const order = steps(reached);
  if (order.length > limits.steps)
    problems.push({ message: `the flow has ${order.length} steps; ${limits.steps} are allowed` });
  const warnings = starts.length === 0 ? [] : warningsOf(graph, reached, order.length, forward);

  const [start] = starts;
  if (problems.length > 0 || start === undefined) return { order, shape: null, problems, warnings };
  const sorted = orderFrom([start], withCalls(targets, calls));
  const blocks = blocksOf(start, {
    ways: forward,
    order: sorted,
    calls,
    isLoop: (id) => nodeTypeNamed(nodesById.get(id)?.type ?? '') === 'loop',
    isHead: (id) => isHead(nodesById.get(id)?.type ?? ''),
  });
  return {
    order: steps(sorted),
    shape: { start, ways: forward, bodies, calls, ...blocks },
    problems,
    warnings,
  };
}

/** What a node leads to, the subflow that it runs first. */
export function withCalls(
  targets: ReadonlyMap<string, readonly string[]>,
  calls: Calls,
): Map<string, readonly string[]> {
  return new Map(
    [...targets].map(([id, all]) => {
      const head = calls.get(id);
      return [id, head === undefined ? all : [head, ...all]];
    }),
  );
}

function isHead(type: string): boolean {
  return isStart(type) || isSubflowStart(type);
}

function warningsOf(graph: Graph, reached: ReadonlySet<string>, steps: number, ways: Ways): string[] {
  const loose = looseDecorations(graph);
  const idle = graph.nodes.filter(({ id }) => !reached.has(id) && !loose.has(id));
  const idleHeads = idle.filter(({ type }) => isSubflowStart(type));
  const behindIdleHeads = reachFrom(
    idleHeads.map(({ id }) => id),
    targetsIn(ways),
  );
  const emptyLoops = graph.nodes.filter(
    ({ id, type }) =>
      reached.has(id) &&
      nodeTypeNamed(type) === 'loop' &&
      ways.get(id)?.some(({ branch }) => branch === 'body') === false,
  );
  return [
    ...idleHeads.map(({ id, type }) => `node "${id}" (${type}) begins a subflow that is never run`),
    ...idle
      .filter(({ id }) => !behindIdleHeads.has(id))
      .map(({ id, type }) => `node "${id}" (${type}) is not connected to start and will not run`),
    ...emptyLoops.map(({ id, type }) => `node "${id}" (${type}) has no body`),
    ...(steps === 0 ? ['the flow has no step after start'] : []),
  ];
}
