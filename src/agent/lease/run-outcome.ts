import type { FlowProblem } from '../../flow/flow-problem.ts';
import {
  CancelledError,
  CredentialsRejectedError,
  ExpectedError,
  errorText,
  LeaseLostError,
  RunInterruptedError,
} from '../../lib/errors.ts';
import { limits } from '../../protocol/limits.ts';
import type { RunResult } from '../../protocol/run-result.ts';
import { PolicyTimeoutError } from '../policy/refusals.ts';
import type { Ending } from '../spool/spool-layout.ts';
import { RunTimeoutError } from './keep-lease.ts';

/** How a run ended for this runner: with a verdict, handed back, by a bug of ours, or as somebody else's. */
export type Outcome =
  | { kind: 'result'; result: RunResult }
  | { kind: 'release'; reason: 'cannot_start' | 'shutdown' | 'interrupted'; detail: string }
  | { kind: 'bug'; detail: string; error: unknown }
  | { kind: 'lost'; why: string };

/** The reason by which the process takes its runs away from the engine to hand them back. */
export class ShutdownError extends CancelledError {}

/** True for a reason by which a run is handed back and somebody else may begin it at once. */
export function isHandBack(reason: unknown): boolean {
  return (
    reason instanceof ShutdownError ||
    reason instanceof RunInterruptedError ||
    reason instanceof CredentialsRejectedError
  );
}

/** What the bridge is told of it. */
export function endingOf(outcome: Exclude<Outcome, { kind: 'lost' }>): Ending {
  switch (outcome.kind) {
    case 'result':
    case 'release':
      return outcome;
    case 'bug':
      return { kind: 'release', reason: 'interrupted', detail: outcome.detail };
  }
}

/** The outcome of a run whose engine threw although nothing had stopped it. */
export function outcomeOfThrown(error: unknown): Outcome {
  const detail = errorText(error).slice(0, limits.textLength);
  if (error instanceof RunInterruptedError) return { kind: 'release', reason: 'interrupted', detail };
  // The engine throws only for what it cannot do here (a browser that does not start); another runner may be able to.
  return error instanceof ExpectedError
    ? { kind: 'release', reason: 'cannot_start', detail }
    : { kind: 'bug', detail, error };
}

/** The outcome of a run that was stopped for `reason`; `result` is what there was by then. */
export function outcomeOfStop(reason: unknown, result: RunResult): Outcome {
  const message = errorText(reason).slice(0, limits.textLength);
  if (reason instanceof ShutdownError) return { kind: 'release', reason: 'shutdown', detail: message };
  // The bridge takes a run back from a runner that it has revoked: only the runner knows when it has stopped.
  if (reason instanceof RunInterruptedError || reason instanceof CredentialsRejectedError) {
    return { kind: 'release', reason: 'interrupted', detail: message };
  }
  const tooLong =
    reason instanceof RunTimeoutError
      ? 'run_timeout'
      : reason instanceof PolicyTimeoutError
        ? 'policy'
        : null;
  if (tooLong !== null) {
    return { kind: 'result', result: { ...result, status: 'failed', error: { code: tooLong, message } } };
  }
  if (reason instanceof CancelledError) {
    const error = { code: 'cancelled', message };
    return { kind: 'result', result: { ...result, status: 'cancelled', error } };
  }
  return { kind: 'lost', why: reason instanceof LeaseLostError ? message : `the runner stopped: ${message}` };
}

/** The result of a run of which nothing was executed. */
export function emptyResult(durationMs: number): RunResult {
  return { status: 'cancelled', durationMs, stepsResult: [] };
}

/** The verdict about a flow that cannot run. */
export function invalidFlow(problems: readonly FlowProblem[]): RunResult {
  return {
    status: 'failed',
    durationMs: 0,
    stepsResult: [],
    error: {
      code: 'flow_invalid',
      message: 'the flow cannot be run',
      problems: problems.slice(0, 1_000).map(({ message }) => message.slice(0, limits.textLength)),
    },
  };
}
