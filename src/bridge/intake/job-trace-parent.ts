import { parseTraceParent } from '../tracing/trace-parent.ts';

/**
 * The `traceparent` that came with a job: as BullMQ's own telemetry carries it (a JSON text of headers), else in the job's
 * data. Null when there is none, or none that is valid: a trace is never a reason to refuse a job.
 */
export function traceParentOf({
  data,
  opts,
}: {
  data: unknown;
  opts: { telemetry?: { metadata?: string } };
}): string | null {
  return valid(carried(opts.telemetry?.metadata)) ?? valid(Reflect.get(Object(data), 'traceparent'));
}

function carried(metadata: unknown): unknown {
  if (typeof metadata !== 'string') return null;
  try {
    return Reflect.get(Object(JSON.parse(metadata)), 'traceparent');
  } catch {
    return null;
  }
}

function valid(value: unknown): string | null {
  return typeof value === 'string' && parseTraceParent(value) !== null ? value : null;
}
