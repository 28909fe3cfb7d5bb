import { didYouMean } from '../../lib/did-you-mean.ts';
import type { FlowProblem } from '../flow-problem.ts';
import type { GraphNode } from '../graph.ts';
import { fieldsOf, isSubflowStart, nodeTypeNamed } from '../node-types/node-types.ts';
import { circlesIn, circleText } from './circles.ts';
import { reachFrom } from './reach.ts';
import type { Ways } from './ways.ts';

/** Subflows a flow may have. Each is looked at with all that can be come to from it. */
const maxSubflows = 500;

/** Fields of `data` that may name a subflow; the first that does. */
export const subflowNameFields: readonly string[] = ['name', 'contextName', 'label'];

/** Which `subflowStart` node each subflow node leads into, by their ids. */
export type Calls = ReadonlyMap<string, string>;

/** Finds the subflow of every node that calls one, and what is wrong with their names. */
export function subflowCalls(nodes: readonly GraphNode[]): { calls: Calls; problems: FlowProblem[] } {
  const problems: FlowProblem[] = [];
  const headsByName = new Map<string, string>();
  const heads = nodes.filter(({ type }) => isSubflowStart(type));
  if (heads.length > maxSubflows) {
    const message = `the flow has ${heads.length} subflows; ${maxSubflows} are allowed`;
    return { calls: new Map(), problems: [{ message }] };
  }
  for (const head of heads) {
    const name = nameOf(head);
    if (name === null) {
      problems.push({ nodeId: head.id, message: `node "${head.id}" (${head.type}): name: is missing` });
    } else if (headsByName.has(name)) {
      problems.push({
        nodeId: head.id,
        message: `node "${head.id}" (${head.type}): name: there is another subflow "${name}" ("${headsByName.get(name)}")`,
      });
    } else {
      headsByName.set(name, head.id);
    }
  }
  const calls = new Map<string, string>();
  for (const { id, type, data } of nodes) {
    if (nodeTypeNamed(type) !== 'subflow') continue;
    const { subflow } = fieldsOf('subflow', data);
    // What is missing or no text is told with the node's other fields.
    if (typeof subflow !== 'string' || subflow.trim() === '') continue;
    const head = headsByName.get(subflow.trim());
    if (head === undefined)
      problems.push({ nodeId: id, message: unknownName(id, type, subflow, headsByName) });
    else calls.set(id, head);
  }
  return { calls, problems };
}

/** Every subflow that comes to itself again, named. A run of it would not end. */
export function recursions(
  nodes: readonly GraphNode[],
  calls: Calls,
  targets: ReadonlyMap<string, readonly string[]>,
): FlowProblem[] {
  const heads = new Set(calls.values());
  const called = new Map<string, string[]>();
  for (const head of heads) {
    const within = reachFrom([head], targets);
    const all = [...calls].filter(([id]) => within.has(id)).map(([, callee]) => callee);
    called.set(head, [...new Set(all)]);
  }
  const names = new Map(nodes.map((node) => [node.id, nameOf(node) ?? node.id]));
  return circlesIn(called).map((circle) => ({
    nodeId: circle[0] ?? '',
    message: `a subflow may not run itself: ${circleText(circle.map((id) => names.get(id) ?? id))}`,
  }));
}

/** What leads from outside into a subflow's first node. */
export function waysIntoHeads(
  nodes: readonly GraphNode[],
  ways: Ways,
  reached: ReadonlySet<string>,
): FlowProblem[] {
  const heads = new Set(nodes.filter(({ type }) => isSubflowStart(type)).map(({ id }) => id));
  return [...ways].flatMap(([source, all]) =>
    all
      .filter(({ target }) => heads.has(target) && reached.has(source))
      .map(({ target }) => ({
        nodeId: source,
        message: `node "${source}" leads into the subflow "${target}"; only a node of the type subflow runs one`,
      })),
  );
}

function nameOf({ data }: GraphNode): string | null {
  const name = subflowNameFields
    .map((field) => data[field])
    .find((one) => typeof one === 'string' && one.trim() !== '');
  return typeof name === 'string' ? name.trim() : null;
}

function unknownName(id: string, type: string, name: string, known: ReadonlyMap<string, string>): string {
  const where = `node "${id}" (${type}): subflow:`;
  if (name.includes('{{')) return `${where} must be a name; a variable cannot choose a subflow`;
  const guess = didYouMean(name, [...known.keys()]);
  const advice = guess === null ? '' : `; did you mean "${guess}"?`;
  return `${where} there is no subflow "${name}" (a node of the type subflowStart with that name)${advice}`;
}
