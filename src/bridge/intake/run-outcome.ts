import { UnrecoverableError } from 'bullmq';
import { sql } from 'drizzle-orm';
import type { RunError, StepResult } from '../../protocol/run-result.ts';
import { rowsOf, uuidArray } from '../db/database.ts';
import type { LeaseDeps } from '../leases/lease-deps.ts';

/** How a run ended, as its rows say it. */
export interface RunOutcome {
  runId: string;
  /** Null when the row was deleted. Any text: the row is the backend's too. */
  status: string | null;
  durationMs: number | null;
  stepsResult: StepResult[] | null;
  error: RunError | null;
}

/** What a job returns when its run passed. */
export interface JobResult {
  runId: string;
  status: 'passed';
  durationMs: number | null;
  stepsResult: StepResult[] | null;
}

/** The outcomes of those of these runs that are over. */
export async function readOutcomes(
  { db }: Pick<LeaseDeps, 'db'>,
  runIds: readonly string[],
): Promise<RunOutcome[]> {
  return rowsOf<RunOutcome>(
    db,
    sql`
      select l.run_id as "runId", r.status, r.duration_ms::float8 as "durationMs", r.steps_result as "stepsResult",
        l.error
      from qualinet.leases l left join public.runs r on r.id = l.run_id
      where l.run_id = any(${uuidArray(runIds)}) and l.state in ('done', 'failed', 'cancelled')`,
  );
}

/**
 * What the job of a run that is over returns. Throws UnrecoverableError, in an operator's words, for every run that did not
 * pass: the attempts of a run are counted in our own table, so that BullMQ's must not run it once more.
 */
export function jobResult({ runId, status, durationMs, stepsResult, error }: RunOutcome): JobResult {
  if (status === 'passed') return { runId, status, durationMs, stepsResult };
  throw new UnrecoverableError(reasonOf({ runId, status, stepsResult, error }));
}

/** Problems of a flow that a failure reason names; the row has them all. */
const problemsShown = 5;

function reasonOf({ runId, status, stepsResult, error }: Omit<RunOutcome, 'durationMs'>): string {
  if (status === 'queued' || status === 'running') {
    return `run ${runId} is over, and its row was set to "${status}" afterwards; a run is started once: add a new row to start it again`;
  }
  if (error !== null) {
    const { message, problems = [] } = error;
    const shown = problems.slice(0, problemsShown);
    const more = problems.length - shown.length;
    return [message, ...shown].join('\n- ') + (more > 0 ? `\n- and ${more} more` : '');
  }
  if (status === 'cancelled') return 'cancelled on request';
  const failed = stepsResult?.find((step) => step.status === 'failed');
  if (failed !== undefined) {
    return `step "${failed.nodeId}" (${failed.type}) failed: ${failed.error ?? 'no reason was given'}`;
  }
  return status === null ? `the row of run ${runId} was deleted` : `the run ended as "${status}"`;
}
