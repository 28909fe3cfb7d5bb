/** A valid `traceparent`. Source: w3.org/TR/trace-context, section 3.2. */
const traceParent = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

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
  return typeof value === 'string' && traceParent.test(value) ? value : null;
}
