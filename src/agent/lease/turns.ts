/** Does work, a limited number of pieces at once, in the order they came. */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

/** Makes turns for `atOnce` pieces. */
export function createTurns(atOnce: number): Turns {
  const waiting: (() => void)[] = [];
  let free = atOnce;
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
