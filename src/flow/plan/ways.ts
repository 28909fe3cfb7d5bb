import type { FlowProblem } from '../flow-problem.ts';
import type { Graph, GraphNode } from '../graph.ts';
import { entryOf, nodeTypeNamed } from '../node-types/node-types.ts';

/** One way on from a node: along a branch, or `next` from a node that does not branch. */
export interface Way {
  branch: string;
  target: string;
}

/** The ways on from every node, those of a node that branches in the order of its branches. */
export type Ways = ReadonlyMap<string, readonly Way[]>;

/** Reads the edges as ways on. Nothing is chosen silently: what leads to two nodes at once is a problem, not a first edge. */
export function waysOf({ nodes, edges }: Graph): { ways: Ways; problems: FlowProblem[] } {
  const ways = new Map<string, Way[]>(nodes.map(({ id }) => [id, []]));
  const branchesById = new Map(nodes.map((node) => [node.id, branchesOf(node)]));
  const problems: FlowProblem[] = [];
  for (const { source, target, handle } of edges) {
    const branches = branchesById.get(source) ?? null;
    const branch = branches === null ? 'next' : branchNamed(handle, branches);
    if (branch === null) {
      const said = handle === null ? '' : `, but "${handle}"`;
      problems.push({
        nodeId: source,
        message: `the edge from "${source}" to "${target}" says none of ${branches?.join(', ')} (sourceHandle)${said}`,
      });
    }
    const known = ways.get(source);
    const way = { branch: branch ?? '', target };
    if (known?.some((other) => other.branch === way.branch && other.target === target) === false)
      known.push(way);
  }
  for (const [nodeId, all] of ways) {
    const branches = branchesById.get(nodeId) ?? ['next'];
    all.sort((a, b) => branches.indexOf(a.branch) - branches.indexOf(b.branch));
    for (const branch of branches) problems.push(...forks(nodeId, branch, all));
  }
  return { ways, problems };
}

/** The targets of a node's ways. */
export function targetsIn(ways: Ways): Map<string, string[]> {
  return new Map([...ways].map(([id, all]) => [id, [...new Set(all.map(({ target }) => target))]]));
}

function forks(nodeId: string, branch: string, all: readonly Way[]): FlowProblem[] {
  const targets = all.filter((way) => way.branch === branch).map(({ target }) => `"${target}"`);
  if (targets.length < 2) return [];
  const message =
    branch === 'next'
      ? `node "${nodeId}" forks to ${targets.join(', ')}; a node leads to one node only`
      : `node "${nodeId}" forks to ${targets.join(', ')} along "${branch}"; a branch leads to one node only`;
  return [{ nodeId, message }];
}

function branchesOf({ type }: GraphNode): readonly string[] | null {
  const known = nodeTypeNamed(type);
  return known === null ? null : (entryOf(known).branches ?? null);
}

/** Editors write `true`, `Yes` or `source-true` alike. */
function branchNamed(handle: string | null, branches: readonly string[]): string | null {
  const word = /[a-z]+$/.exec(handle?.trim().toLowerCase() ?? '')?.[0] ?? '';
  return branches.find((branch) => branch === word || otherNames[branch]?.includes(word)) ?? null;
}

const otherNames: Readonly<Record<string, readonly string[]>> = {
  true: ['yes', 'then'],
  false: ['no', 'else', 'otherwise'],
  body: ['loop', 'each', 'do', 'repeat'],
  done: ['after', 'end', 'exit', 'next', 'completed', 'finished'],
};
