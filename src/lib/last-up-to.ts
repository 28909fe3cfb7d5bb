/**
 * The last of the places 0 to `last` whose value is not above `limit`, by halving; 0 when there is none. `valueAt` never
 * falls.
 */
export function lastUpTo(limit: number, last: number, valueAt: (place: number) => number): number {
  let low = 0;
  let high = last;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (valueAt(middle) <= limit) low = middle;
    else high = middle - 1;
  }
  return low;
}
