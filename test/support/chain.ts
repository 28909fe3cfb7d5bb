/** A node as tests write it. */
export interface ChainNode {
  id: string;
  type: string;
  data: Record<string, unknown>;
}

/** A flow of these nodes, one after the other, behind a start node `s`. */
export function chain(...nodes: ChainNode[]) {
  return {
    nodes: [{ id: 's', type: 'start' }, ...nodes],
    edges: nodes.map((node, index) => ({ source: nodes[index - 1]?.id ?? 's', target: node.id })),
  };
}
