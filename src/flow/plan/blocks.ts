import type { Way, Ways } from './ways.ts';

/** A flow as what runs one after the other, by ids, and what runs within each node that branches or runs a subflow. */
export interface Blocks {
  top: readonly string[];
  within: ReadonlyMap<string, Readonly<Record<string, readonly string[]>>>;
}

/**
 * Puts an acyclic graph into blocks. Where the branches of an `if` meet is its immediate post-dominator: the first node that
 * every way from it to the end comes to. Each node's chain goes on there, and what lies between is its branches'. A node that
 * several branches come to is in the block of each, and is nonetheless one node: no block is longer than the flow, and each
 * node has its blocks once, so that this grows with the square of the flow at most.
 */
export function blocksOf(
  start: string,
  {
    ways,
    order,
    calls,
    isLoop,
    isHead,
  }: {
    ways: Ways;
    order: readonly string[];
    calls: ReadonlyMap<string, string>;
    isLoop(id: string): boolean;
    isHead(id: string): boolean;
  },
): Blocks {
  /** The node a chain goes on with; null at its end. */
  const next = new Map<string, string | null>();
  const depth = new Map<string | null, number>([[null, 0]]);
  for (const id of order.toReversed()) {
    const all = ways.get(id) ?? [];
    const on = isLoop(id)
      ? along('done', all)
      : isBranching(all)
        ? meeting(along('true', all), along('false', all))
        : along('next', all);
    next.set(id, on);
    depth.set(id, (depth.get(on) ?? 0) + 1);
  }

  function meeting(one: string | null, other: string | null): string | null {
    let [a, b] = [one, other];
    while (a !== b) {
      if ((depth.get(a) ?? 0) >= (depth.get(b) ?? 0)) a = next.get(a ?? '') ?? null;
      else b = next.get(b ?? '') ?? null;
    }
    return a;
  }

  function chain(from: string | null, end: string | null): string[] {
    const ids: string[] = [];
    for (let id = from; id !== null && id !== end; id = next.get(id) ?? null) if (!isHead(id)) ids.push(id);
    return ids;
  }

  const within = new Map<string, Record<string, string[]>>();
  const bodyOfHead = new Map<string, string[]>();
  for (const id of order) {
    const all = ways.get(id) ?? [];
    const head = calls.get(id);
    if (head !== undefined) {
      const body = bodyOfHead.get(head) ?? chain(head, null);
      bodyOfHead.set(head, body);
      within.set(id, { body });
    } else if (isLoop(id)) {
      within.set(id, { body: chain(along('body', all), null) });
    } else if (isBranching(all)) {
      const end = next.get(id) ?? null;
      within.set(id, { true: chain(along('true', all), end), false: chain(along('false', all), end) });
    }
  }
  return { top: chain(start, null), within };
}

function isBranching(all: readonly Way[]): boolean {
  return all.some(({ branch }) => branch === 'true' || branch === 'false');
}

function along(branch: string, all: readonly Way[]): string | null {
  return all.find((way) => way.branch === branch)?.target ?? null;
}
