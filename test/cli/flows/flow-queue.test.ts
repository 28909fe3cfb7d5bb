import { describe, expect, it } from 'vitest';
import { type QueueOptions, runFlows } from '../../../src/cli/flows/flow-queue.ts';
import type { PreparedFlow } from '../../../src/cli/flows/prepare-flows.ts';
import type { RunResult } from '../../../src/protocol/run-result.ts';

const flow = (name: string): PreparedFlow => ({ name, file: `${name}.json`, steps: [], variables: {} });
const ended = (status: RunResult['status']): RunResult => ({ status, durationMs: 1, stepsResult: [] });

/** Runs flows whose tries end as told, by name; a flow without a word passes. */
async function play(
  names: readonly string[],
  options: Partial<QueueOptions>,
  outcomes: Record<string, RunResult['status'][]> = {},
  { abort = new AbortController(), until = Number.POSITIVE_INFINITY } = {},
) {
  let active = 0;
  let most = 0;
  let begun = 0;
  const told: string[] = [];
  const runs = await runFlows(
    names.map(flow),
    { workers: 1, repeat: 1, retries: 0, ...options },
    {
      async execute({ name }) {
        active += 1;
        begun += 1;
        most = Math.max(most, active);
        if (begun === until) abort.abort();
        await new Promise<void>((resolve) => setImmediate(resolve));
        active -= 1;
        return { result: ended(outcomes[name]?.shift() ?? 'passed'), tracePath: null };
      },
      signal: abort.signal,
      onTryFailed: ({ name }, left) => told.push(`${name} again, ${left} left`),
      onEnd: ({ name }, verdict) => told.push(`${name} ${verdict}`),
      now: () => 0,
    },
  );
  return { runs: runs.map(({ name, repetition, tries }) => [name, repetition, tries.length]), told, most };
}

describe('a queue of flows', () => {
  it('never has more of them beside each other than workers, and gives them in their order', async () => {
    const { runs, most } = await play(['a', 'b', 'c', 'd', 'e'], { workers: 2 });
    expect(most).toBe(2);
    expect(runs.map(([name]) => name)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('runs one that failed again at once, until it passes or no try is left', async () => {
    const { runs, told } = await play(
      ['a', 'b'],
      { retries: 2 },
      { a: ['failed'], b: ['failed', 'failed', 'failed', 'passed'] },
    );
    expect(runs).toEqual([
      ['a', null, 2],
      ['b', null, 3],
    ]);
    expect(told).toEqual(['a again, 2 left', 'a flaky', 'b again, 2 left', 'b again, 1 left', 'b failed']);
  });

  it('repeats each, and counts the repetitions', async () => {
    const { runs } = await play(['a', 'b'], { repeat: 2, workers: 4 });
    expect(runs).toEqual([
      ['a', 1, 1],
      ['a', 2, 1],
      ['b', 1, 1],
      ['b', 2, 1],
    ]);
  });

  it('begins no more when it is stopped, and has those that were not begun', async () => {
    const { runs, told } = await play(['a', 'b', 'c'], { retries: 3 }, { b: ['failed'] }, { until: 2 });
    expect(runs.map(([name, , tries]) => [name, tries])).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 0],
    ]);
    expect(told).toEqual(['a passed', 'b failed']);
  });
});
