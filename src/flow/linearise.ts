import { limits } from '../protocol/limits.ts';
import type { FlowProblem } from './flow-problem.ts';
import { type Graph, type GraphNode, looseDecorations } from './graph.ts';
import { isStart } from './node-types/node-types.ts';

/** The nodes after `start` in the order they run, what keeps the graph from having one, and what is merely odd. */
export interface Linearised {
  order: GraphNode[];
  problems: FlowProblem[];
  warnings: string[];
}

/** Follows the edges from the start node to the end. Nothing is chosen silently: a fork is a problem, not a first edge. */
export function linearise(graph: Graph): Linearised {
  const { nodes, edges } = graph;
  const problems: FlowProblem[] = [];
  const nodesById = new Map(nodes.map((node) => [node.id, node]));
  const targets = new Map<string, string[]>(nodes.map((node) => [node.id, []]));
  for (const { source, target } of edges) targets.get(source)?.push(target);

  const starts = nodes.filter((node) => isStart(node.type));
  if (starts.length === 0) problems.push({ message: 'the flow has no start node (type "start")' });
  if (starts.length > 1)
    problems.push({ message: `the flow has ${starts.length} start nodes: ${list(starts.map((s) => s.id))}` });

  for (const [nodeId, next] of targets) {
    if (next.length > 1) {
      problems.push({
        nodeId,
        message: `node "${nodeId}" forks to ${list(next)}; a node leads to one node only`,
      });
    }
  }
  for (const cycle of cyclesIn(targets)) {
    problems.push({
      nodeId: cycle[0] ?? '',
      message: `the flow runs in a circle: ${[...cycle, cycle[0]].join(' -> ')}`,
    });
  }

  const reached = reachableFrom(
    starts.map(({ id }) => id),
    targets,
  );
  const order = [...reached].flatMap((id) => {
    const node = nodesById.get(id);
    return node === undefined || isStart(node.type) ? [] : [node];
  });
  if (order.length > limits.steps)
    problems.push({ message: `the flow has ${order.length} steps; ${limits.steps} are allowed` });
  return { order, problems, warnings: warningsOf(graph, reached, starts.length > 0, order.length) };
}

function warningsOf(graph: Graph, reached: ReadonlySet<string>, hasStart: boolean, steps: number): string[] {
  if (!hasStart) return [];
  const loose = looseDecorations(graph);
  const idle = graph.nodes.filter(({ id }) => !reached.has(id) && !loose.has(id));
  return [
    ...idle.map((node) => `node "${node.id}" (${node.type}) is not connected to start and will not run`),
    ...(steps === 0 ? ['the flow has no step after start'] : []),
  ];
}

function reachableFrom(ids: readonly string[], targets: ReadonlyMap<string, readonly string[]>): Set<string> {
  const reached = new Set<string>();
  const open = [...ids].reverse();
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (reached.has(id)) continue;
    reached.add(id);
    open.push(...(targets.get(id) ?? []).toReversed());
  }
  return reached;
}

/** Each circle once, as the ids along it: depth first, with its own stack because a flow may be thousands of nodes long. */
function cyclesIn(targets: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const finished = new Set<string>();
  for (const root of targets.keys()) {
    const path: string[] = [];
    const position = new Map<string, number>();
    const frames: { id: string; next: number }[] = [];
    const enter = (id: string): void => {
      position.set(id, path.length);
      path.push(id);
      frames.push({ id, next: 0 });
    };
    if (!finished.has(root)) enter(root);
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const child = targets.get(frame.id)?.[frame.next];
      frame.next += 1;
      if (child === undefined) {
        finished.add(frame.id);
        position.delete(frame.id);
        path.pop();
        frames.pop();
      } else if (position.has(child)) {
        cycles.push(path.slice(position.get(child)));
      } else if (!finished.has(child)) {
        enter(child);
      }
    }
  }
  return cycles;
}

function list(ids: readonly string[]): string {
  return ids.map((id) => `"${id}"`).join(', ');
}
