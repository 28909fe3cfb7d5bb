import { errorText } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { RunError, StepResult } from '../../protocol/run-result.ts';
import type { EndedRun } from '../events/teller.ts';

/** A run that has just ended, with everything its rows say about it but its flow and its variables. */
export interface RunEnd extends EndedRun {
  leaseId: string;
  /** Null when the backend has deleted the row. */
  flowId: string | null;
  name: string | null;
  workspace: string;
  labels: readonly string[];
  priority: number;
  /** BullMQ's; null for a run of the operators' API. */
  queue: string | null;
  jobId: string | null;
  /** W3C `traceparent` of whoever queued the run. */
  traceParent: string | null;
  /** Times it was handed back without using up an attempt. */
  handbacks: number;
  /** Why its last attempt ended without a result, if one did. */
  lastEndReason: string | null;
  queuedAtMs: number;
  durationMs: number | null;
  error: RunError | null;
  stepsResult: readonly StepResult[];
}

/**
 * Called once for each run that ends, by the bridge that ended it, after the row is written. It must return soon: the runner
 * waits for its answer.
 */
export type RunObserver = (run: RunEnd) => void;

/** All of them as one. One that throws is told and disturbs neither the others nor the run. */
export function everyObserver(observers: readonly RunObserver[], log: Log): RunObserver {
  return (run) => {
    for (const observe of observers) {
      try {
        observe(run);
      } catch (error) {
        log.error('an observer of runs failed', { runId: run.runId, error: errorText(error) });
      }
    }
  };
}
