import type { Log } from '../../lib/log.ts';
import type { RunObserver } from './run-end.ts';

/** One line in the log for each run that ends. */
export function runLine(log: Log): RunObserver {
  return ({ runId, status, runnerId, fence, attempts, durationMs, stepsResult }) =>
    log.info('run finished', {
      runId,
      status,
      runnerId,
      fence,
      attempts,
      durationMs,
      steps: stepsResult.length,
    });
}
