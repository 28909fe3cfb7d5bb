/** Circles that are told of. A graph may have more of them than anybody could mend, or than there is memory. */
const maxCircles = 50;
/** Nodes of a circle that are named. */
const maxNamed = 20;

/** Each circle once, as the ids along it: depth first, with its own stack because a flow may be thousands of nodes long. */
export function circlesIn(targets: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = [];
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
        circles.push(path.slice(position.get(child)));
        if (circles.length === maxCircles) return circles;
      } else if (!finished.has(child)) {
        enter(child);
      }
    }
  }
  return circles;
}

/** `a -> b -> a`, the middle of a long one left out. */
export function circleText(names: readonly string[]): string {
  const around = [...names, names[0] ?? ''];
  if (around.length <= maxNamed) return around.join(' -> ');
  const half = maxNamed / 2;
  return [...around.slice(0, half), '…', ...around.slice(-half)].join(' -> ');
}
