import type { FlowSnapshot } from '../../src/protocol/messages.ts';

/** A flow as tests draw it: nodes by id, and edges as `s>a a:true>b`. The start node is `s`. */
export function drawnFlow(
  nodes: Readonly<Record<string, readonly [type: string, data: Record<string, unknown>]>>,
  edges: string,
): FlowSnapshot {
  return {
    nodes: [
      { id: 's', type: 'start', data: {} },
      ...Object.entries(nodes).map(([id, [type, data]]) => ({ id, type, data })),
    ],
    edges: drawnEdges(edges),
  };
}

/** Edges from `s>a a:true>b`. */
export function drawnEdges(text: string): { source: string; target: string; sourceHandle?: string }[] {
  return text.split(/\s+/).map((one) => {
    const [, source = '', sourceHandle, target = ''] = /^([^:>]+)(?::([^>]+))?>(.+)$/.exec(one) ?? [];
    return { source, target, ...(sourceHandle === undefined ? {} : { sourceHandle }) };
  });
}
