import type { RunResult } from '../protocol/run-result.ts';

/** One try of a run: when it began, and how it ended. */
export interface ReportedTry {
  /** Milliseconds since 1970. */
  startedAt: number;
  result: RunResult;
  /** File of its trace, null where there is none. */
  tracePath: string | null;
}

/** A run as reports tell of it. */
export interface ReportedRun {
  /** Name of the flow. */
  name: string;
  /** File it came from, as the person named it. */
  file: string;
  /** Which repetition it is, from 1; null where nothing was repeated. */
  repetition: number | null;
  /** All tries, the last one decides; empty for a run that was not begun. */
  tries: readonly ReportedTry[];
}

/** How a run came out: `flaky` passed after it had failed, `skipped` was not begun. */
export type Verdict = 'passed' | 'flaky' | 'failed' | 'cancelled' | 'skipped';

/** The verdict on a run, by its tries. */
export function verdictOf({ tries }: Pick<ReportedRun, 'tries'>): Verdict {
  const last = tries.at(-1);
  if (last === undefined) return 'skipped';
  if (last.result.status !== 'passed') return last.result.status;
  return tries.length > 1 ? 'flaky' : 'passed';
}

/** Name for people, with its repetition where there are several. */
export function titleOf({ name, repetition }: Pick<ReportedRun, 'name' | 'repetition'>): string {
  return repetition === null ? name : `${name} (${repetition})`;
}

/** How long all tries took, in ms. */
export function durationOf(tries: readonly ReportedTry[]): number {
  return tries.reduce((sum, { result }) => sum + result.durationMs, 0);
}

/** Why a try failed, in one line: its failing steps, or what ended it otherwise. */
export function reasonOf({ error, stepsResult }: RunResult): string {
  const failed = stepsResult.filter(({ status }) => status === 'failed');
  const steps = failed.map(
    ({ nodeId, type, error: why = '' }) => `${nodeId} (${type}): ${why.split('\n')[0]}`,
  );
  return [...steps, ...(error === undefined ? [] : [error.message])].join('; ');
}
