import { setTimeout as delay } from 'node:timers/promises';

/** One thing to measure: its name and what one round of it does; the round gives its time in ms. */
export interface Contender {
  name: string;
  round(): Promise<number>;
}

/** What one contender took. */
export interface Measured {
  name: string;
  medianMs: number;
  p10Ms: number;
  p90Ms: number;
  rounds: number;
}

/**
 * Runs the contenders in turn, `rounds` times each after `warmUp` rounds that do not count, in an order that changes from
 * round to round, so that whatever else the machine does meets all of them alike.
 */
export async function interleave(
  contenders: readonly Contender[],
  rounds: number,
  { warmUp = 3, restMs = 0 } = {},
): Promise<Measured[]> {
  const times = contenders.map(() => [] as number[]);
  for (let round = -warmUp; round < rounds; round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const index = (turn + Math.abs(round)) % contenders.length;
      const ms = await contenders[index]?.round();
      // What a round leaves to tidy up must not fall into the next one's time.
      await delay(restMs);
      if (round >= 0 && ms !== undefined) times[index]?.push(ms);
    }
  }
  return contenders.map(({ name }, index) => {
    const sorted = (times[index] ?? []).sort((a, b) => a - b);
    return {
      name,
      medianMs: quantile(sorted, 0.5),
      p10Ms: quantile(sorted, 0.1),
      p90Ms: quantile(sorted, 0.9),
      rounds: sorted.length,
    };
  });
}

/** The quantile `q` of sorted numbers, between neighbours in proportion. */
function quantile(sorted: readonly number[], q: number): number {
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? below;
  return below + (above - below) * (position - Math.floor(position));
}

/** A table of the contenders with their ratio to the first one, the peer. */
export function table(title: string, measured: readonly Measured[]): string {
  const peer = measured[0]?.medianMs ?? Number.NaN;
  const rows = measured.map(({ name, medianMs, p10Ms, p90Ms, rounds }) => [
    name,
    `${medianMs.toFixed(1)} ms`,
    `${p10Ms.toFixed(0)}..${p90Ms.toFixed(0)}`,
    `n=${rounds}`,
    `ratio ${(medianMs / peer).toFixed(3)}`,
  ]);
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  );
  return `${title}\n${lines.join('\n')}`;
}
