import * as z from 'zod';
import { fieldPath } from '../protocol/problem.ts';
import type { FlowProblem } from './flow-problem.ts';
import { decorations } from './node-types/node-types.ts';

/** A node with the fields a run needs; all others of React Flow (position, width, selected, ...) are ignored. */
export interface GraphNode {
  id: string;
  type: string;
  data: Readonly<Record<string, unknown>>;
  /** It has faults of its own, told already; it stays in the graph so that what lies behind it is checked as well. */
  isBroken?: true;
}

interface GraphEdge {
  source: string;
  target: string;
  /** Where at its source it is drawn: of a node that branches, the branch. Null where the editor says nothing. */
  handle: string | null;
}

export interface Graph {
  nodes: readonly GraphNode[];
  /** One for each source, handle and target: editors draw parallel edges to other handles of the same node. */
  edges: readonly GraphEdge[];
}

const id = z.union([z.string().min(1), z.number().transform(String)], 'must be a text that is not empty');
const nodeSchema = z.object(
  {
    id,
    type: z.string('is missing').min(1, 'is empty'),
    data: z.record(z.string(), z.unknown(), 'must be an object').nullish(),
  },
  'must be an object',
);
const edgeSchema = z.object(
  { source: id, target: id, sourceHandle: z.unknown().optional(), label: z.unknown().optional() },
  'must be an object',
);

/** Nodes and edges as a graph, and everything that is wrong with single nodes and edges. Broken ones are left out of the graph. */
export function readGraph(
  nodes: readonly unknown[],
  edges: readonly unknown[],
): { graph: Graph; problems: FlowProblem[] } {
  const problems: FlowProblem[] = [];
  const byId = new Map<string, GraphNode>();
  nodes.forEach((raw, index) => {
    const parsed = nodeSchema.safeParse(raw);
    const nodeId = id.safeParse(Reflect.get(Object(raw), 'id')).data;
    if (!parsed.success) {
      problems.push(...faults(`nodes[${index}]`, parsed.error, nodeId));
      if (nodeId === undefined) return;
    }
    const node: GraphNode = parsed.success
      ? { ...parsed.data, data: parsed.data.data ?? {} }
      : { id: nodeId ?? '', type: '', data: {}, isBroken: true };
    if (byId.has(node.id))
      problems.push({ nodeId: node.id, message: `nodes[${index}].id: "${node.id}" is used twice` });
    else byId.set(node.id, node);
  });

  const edgesByEnds = new Map<string, GraphEdge>();
  edges.forEach((raw, index) => {
    const parsed = edgeSchema.safeParse(raw);
    if (!parsed.success) {
      problems.push(...faults(`edges[${index}]`, parsed.error));
      return;
    }
    const { source, target, sourceHandle, label } = parsed.data;
    const handle = [sourceHandle, label].find((name) => typeof name === 'string' && name.trim() !== '');
    const missing = [source, target].filter((end) => !byId.has(end));
    for (const end of missing)
      problems.push({ message: `edges[${index}] leads to no node: "${end}" does not exist` });
    if (missing.length === 0) {
      const edge = { source, target, handle: typeof handle === 'string' ? handle : null };
      edgesByEnds.set(JSON.stringify(edge), edge);
    }
  });
  return { graph: { nodes: [...byId.values()], edges: [...edgesByEnds.values()] }, problems };
}

/** Ids of nodes that only decorate the drawing: notes and groups that no edge touches. */
export function looseDecorations({ nodes, edges }: Graph): ReadonlySet<string> {
  const touched = new Set(edges.flatMap(({ source, target }) => [source, target]));
  const loose = nodes.filter(({ id, type }) => decorations.has(type.toLowerCase()) && !touched.has(id));
  return new Set(loose.map(({ id }) => id));
}

function faults(where: string, error: z.ZodError, nodeId?: string): FlowProblem[] {
  return error.issues.map(({ path, message }) => ({
    ...(nodeId === undefined ? {} : { nodeId }),
    message: `${where}${path.length === 0 ? '' : `.${fieldPath(path)}`}: ${message}`,
  }));
}
