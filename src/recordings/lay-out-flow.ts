import type { FlowFileContent, FlowFileEdge, FlowFileNode } from './imported.ts';

/** A step on its way into a flow. */
export interface DraftStep {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** For an `if` what runs on `true` and `false`, for a `loop` its `body`. */
  readonly blocks?: Readonly<Partial<Record<'true' | 'false' | 'body', readonly DraftStep[]>>>;
}

/** A whole flow before it has nodes and edges. */
export interface DraftFlow {
  readonly name: string;
  readonly steps: readonly DraftStep[];
  /** What stands behind a `subflow` step, by its name. */
  readonly subflows?: Readonly<Record<string, readonly DraftStep[]>>;
  readonly variables?: Readonly<Record<string, string>>;
}

/** Draws steps as nodes from top to bottom, each block a column further to the right, with ids such as `3-click`. */
export function layOutFlow({ name, steps, subflows = {}, variables = {} }: DraftFlow): FlowFileContent {
  const nodes: FlowFileNode[] = [];
  const edges: FlowFileEdge[] = [];
  let row = 0;
  let count = 0;

  const draw = (id: string, type: string, column: number, data: FlowFileNode['data']): string => {
    nodes.push({ id, type, position: { x: column * columnWidth, y: row * rowHeight }, data });
    row += 1;
    return id;
  };
  const connect = (ends: readonly End[], target: string): void => {
    for (const { source, handle } of ends) {
      const through = handle === undefined ? '' : `:${handle}`;
      const id = `${source}${through}->${target}`;
      edges.push({ id, source, target, ...(handle === undefined ? {} : { sourceHandle: handle }) });
    }
  };
  /** Draws a block behind `ends`; what is returned is where it goes on. */
  const drawBlock = (block: readonly DraftStep[], from: readonly End[], column: number): readonly End[] => {
    let ends = from;
    for (const { type, data, blocks } of block) {
      count += 1;
      const id = draw(`${count}-${type}`, type, column, data);
      connect(ends, id);
      if (type === 'if') {
        const yes = drawBlock(blocks?.true ?? [], [{ source: id, handle: 'true' }], column + 1);
        const no = drawBlock(blocks?.false ?? [], [{ source: id, handle: 'false' }], column + 2);
        ends = [...yes, ...no];
      } else if (type === 'loop') {
        // The body's own end leads nowhere: that is where the next round begins.
        drawBlock(blocks?.body ?? [], [{ source: id, handle: 'body' }], column + 1);
        ends = [{ source: id, handle: 'done' }];
      } else {
        ends = [{ source: id }];
      }
    }
    return ends;
  };

  drawBlock(steps, [{ source: draw('start', 'start', 0, {}) }], 0);
  for (const [subflow, block] of Object.entries(subflows)) {
    count += 1;
    const head = draw(`${count}-subflowStart`, 'subflowStart', 4, { name: subflow });
    drawBlock(block, [{ source: head }], 4);
  }
  return { name, nodes, edges, ...(Object.keys(variables).length === 0 ? {} : { variables }) };
}

/** Where the steps drawn so far go on. */
interface End {
  readonly source: string;
  readonly handle?: string;
}

/** In pixels of the editor. */
const columnWidth = 260;
const rowHeight = 110;
