/** All ids that can be come to from these, themselves included, depth first in the order of the ways; never through `without`. */
export function reachFrom(
  ids: readonly string[],
  targets: ReadonlyMap<string, readonly string[]>,
  without?: string,
): Set<string> {
  const reached = new Set<string>();
  const open = [...ids].reverse();
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (reached.has(id) || id === without) continue;
    reached.add(id);
    open.push(...(targets.get(id) ?? []).toReversed());
  }
  return reached;
}

/** The ids that can be come to from these, none before one that leads to it. `targets` must have no circle. */
export function orderFrom(ids: readonly string[], targets: ReadonlyMap<string, readonly string[]>): string[] {
  const seen = new Set<string>();
  const left: string[] = [];
  const frames: { id: string; rest: string[] }[] = [];
  const enter = (id: string): void => {
    if (seen.has(id)) return;
    seen.add(id);
    frames.push({ id, rest: [...(targets.get(id) ?? [])] });
  };
  for (const root of ids.toReversed()) {
    enter(root);
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      // The last way first, as what is left first comes to stand last.
      const child = frame.rest.pop();
      if (child !== undefined) enter(child);
      else left.push(frames.pop()?.id ?? '');
    }
  }
  return left.reverse();
}
