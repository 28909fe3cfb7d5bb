import type { Log } from '../../lib/log.ts';
import type { RunEnd, RunObserver } from './run-end.ts';

/** What a person at a terminal sees of the line. */
const brief = ['runId', 'name', 'status', 'runnerName', 'durationMs', 'failedNode', 'errorCode'];

/** One wide line in the log for each run that ends, with everything that is asked about runs afterwards; `bridge` names this one. */
export function runLine({ log, bridge }: { log: Log; bridge: string }): RunObserver {
  return (run) => log.info('run finished', { ...fieldsOf(run), bridge }, brief);
}

function fieldsOf({
  stepsResult,
  error,
  lastEndReason,
  queuedAtMs,
  startedAtMs,
  endedAtMs,
  ...run
}: RunEnd): Record<string, unknown> {
  const failed = stepsResult.find(({ status }) => status === 'failed') ?? null;
  return {
    runId: run.runId,
    name: run.name,
    flowId: run.flowId,
    workspace: run.workspace,
    labels: run.labels,
    priority: run.priority,
    queue: run.queue,
    jobId: run.jobId,
    status: run.status,
    errorCode: error?.code ?? failed?.errorKind ?? null,
    errorMessage: error?.message ?? failed?.error ?? null,
    stepsTotal: stepsResult.length,
    stepsPassed: stepsResult.filter(({ status }) => status === 'passed').length,
    stepsFailed: stepsResult.filter(({ status }) => status === 'failed').length,
    failedNode: failed?.nodeId ?? null,
    failedType: failed?.type ?? null,
    hasScreenshot: stepsResult.some(({ screenshotUrl }) => screenshotUrl !== undefined),
    fence: run.fence,
    attempts: run.attempts,
    handbacks: run.handbacks,
    redeliveryReason: lastEndReason,
    runnerId: run.runnerId,
    runnerName: run.runnerName,
    queuedAt: instant(queuedAtMs),
    startedAt: instant(startedAtMs),
    endedAt: instant(endedAtMs),
    // With redeliveries, this is the time until the last attempt began.
    queueWaitMs: Math.round((startedAtMs ?? endedAtMs) - queuedAtMs),
    durationMs: run.durationMs,
  };
}

function instant(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString();
}
