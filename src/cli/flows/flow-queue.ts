import { type ReportedRun, type ReportedTry, type Verdict, verdictOf } from '../../report/reported-run.ts';
import type { PreparedFlow } from './prepare-flows.ts';

/** A run that is to be, or was. */
export interface QueuedRun extends ReportedRun {
  flow: PreparedFlow;
  tries: ReportedTry[];
}

/** How many at a time, and how often. */
export interface QueueOptions {
  workers: number;
  /** Runs of each flow. */
  repeat: number;
  /** Further tries of a run that failed. */
  retries: number;
}

/** Who does it, and who hears of it. */
export interface QueueDeps {
  execute(flow: PreparedFlow): Promise<Omit<ReportedTry, 'startedAt'>>;
  /** Fires when no more may begin. */
  signal: AbortSignal;
  onTryFailed(run: QueuedRun, left: number): void;
  onEnd(run: QueuedRun, verdict: Verdict): void;
  /** Milliseconds since 1970. */
  now(): number;
}

/** Runs all flows, some beside each other, each failed one again at once. Gives them in the order of the flows, also those that were not begun. */
export async function runFlows(
  flows: readonly PreparedFlow[],
  { workers, repeat, retries }: QueueOptions,
  deps: QueueDeps,
): Promise<QueuedRun[]> {
  const runs = flows.flatMap((flow) =>
    Array.from({ length: repeat }, (_, index): QueuedRun => {
      const repetition = repeat > 1 ? index + 1 : null;
      return { flow, name: flow.name, file: flow.file, repetition, tries: [] };
    }),
  );
  const waiting = runs.values();
  const work = async (): Promise<void> => {
    // One iterator for all: each takes the next that nobody has.
    for (const run of waiting) {
      if (deps.signal.aborted) return;
      await runUntilPassed(run, retries, deps);
      deps.onEnd(run, verdictOf(run));
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, runs.length) }, work));
  return runs;
}

async function runUntilPassed(run: QueuedRun, retries: number, deps: QueueDeps): Promise<void> {
  for (let left = retries; ; left -= 1) {
    const startedAt = deps.now();
    const one = await deps.execute(run.flow);
    const { result } = one;
    run.tries.push({ startedAt, ...one });
    if (result.status !== 'failed' || left === 0 || deps.signal.aborted) return;
    deps.onTryFailed(run, left);
  }
}
