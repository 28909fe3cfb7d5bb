import type { RunUpdate } from '../../protocol/run-result.ts';
import type { RunEnd } from '../leases/run-end.ts';

/** A span as it is to be written, with what lies within it. Times are ms since 1970. */
export interface PlannedSpan {
  name: string;
  startMs: number;
  endMs: number;
  attributes: Readonly<Record<string, string | number | string[]>>;
  /** What went wrong; null when nothing did. */
  error: string | null;
  children: readonly PlannedSpan[];
}

/**
 * The spans of a run that has ended: the time it waited, the time it was executed and in that its steps, as far as `updates`
 * tells of them. Ids, types, times and errors only: neither variables nor what was typed.
 */
export function runSpans(run: RunEnd, updates: readonly RunUpdate[]): PlannedSpan {
  const { queuedAtMs, error, stepsResult, status } = run;
  const endMs = Math.max(run.endedAtMs, queuedAtMs);
  const startedAtMs = run.startedAtMs === null ? null : within(run.startedAtMs, queuedAtMs, endMs);
  const failedStep = stepsResult.find((step) => step.status === 'failed');
  const failure =
    status === 'failed'
      ? (error?.message ?? failedStep?.error ?? 'The run failed.')
      : (error?.message ?? null);
  const attributes = given({
    'qualinet.run.id': run.runId,
    'qualinet.run.name': run.name,
    'qualinet.run.status': status,
    'qualinet.run.attempt': run.attempts,
    'qualinet.run.labels': [...run.labels],
    'qualinet.run.redelivery_reason': run.lastEndReason,
    'qualinet.flow.id': run.flowId,
    'qualinet.workspace': run.workspace,
    'qualinet.queue': run.queue,
    'qualinet.job.id': run.jobId,
    'qualinet.runner.id': run.runnerId,
    'qualinet.runner.name': run.runnerName,
    'error.type': status === 'failed' ? (error?.code ?? failedStep?.errorKind ?? 'failed') : null,
  });
  const waited = { name: 'qualinet.queued', attributes: {}, error: null, children: [] };
  const children =
    startedAtMs === null
      ? [{ ...waited, startMs: queuedAtMs, endMs }]
      : [
          { ...waited, startMs: queuedAtMs, endMs: startedAtMs },
          {
            name: 'qualinet.execute',
            startMs: startedAtMs,
            endMs,
            attributes: given({
              'qualinet.runner.id': run.runnerId,
              'qualinet.runner.name': run.runnerName,
              'qualinet.fence': run.fence,
            }),
            error: failure,
            children: stepSpans(run, updates, startedAtMs, endMs),
          },
        ];
  return { name: 'qualinet.run', startMs: queuedAtMs, endMs, attributes, error: failure, children };
}

function stepSpans(
  { fence, stepsResult }: RunEnd,
  updates: readonly RunUpdate[],
  fromMs: number,
  toMs: number,
): PlannedSpan[] {
  const events = updates.flatMap((update) =>
    update.fence === fence && (update.type === 'step_start' || update.type === 'step_complete')
      ? [{ update, atMs: Date.parse(update.at) }]
      : [],
  );
  // These times are the runner's, whose clock may be another: then only the time between them means something.
  const firstMs = events[0]?.atMs ?? fromMs;
  const lastMs = events.at(-1)?.atMs ?? fromMs;
  const shiftMs = firstMs >= fromMs && lastMs <= toMs ? 0 : fromMs - firstMs;
  const spans: PlannedSpan[] = [];
  let begun: { nodeId: string; startMs: number } | null = null;
  let index = 0;
  const end = (endMs: number): void => {
    if (begun === null) return;
    const { nodeId, startMs } = begun;
    begun = null;
    const result = stepsResult[index]?.nodeId === nodeId ? stepsResult[index++] : undefined;
    spans.push({
      name: `qualinet.step ${result?.type ?? 'unfinished'}`,
      startMs,
      endMs: Math.max(startMs, endMs),
      attributes: given({
        'qualinet.node.id': nodeId,
        'qualinet.node.type': result?.type ?? null,
        'qualinet.step.status': result?.status ?? null,
        'qualinet.step.duration_ms': result?.durationMs ?? null,
        'error.type': result?.errorKind ?? null,
      }),
      error: result?.status === 'failed' ? (result.error ?? 'The step failed.') : null,
      children: [],
    });
  };
  let nowMs = fromMs;
  for (const { update, atMs } of events) {
    nowMs = within(atMs + shiftMs, nowMs, toMs);
    end(nowMs);
    if (update.type === 'step_start') begun = { nodeId: update.nodeId, startMs: nowMs };
  }
  end(toMs);
  return spans;
}

function within(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

function given(
  attributes: Readonly<Record<string, string | number | string[] | null>>,
): Record<string, string | number | string[]> {
  return Object.fromEntries(
    Object.entries(attributes).filter(
      (entry): entry is [string, string | number | string[]] => entry[1] !== null,
    ),
  );
}
