import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { type HrTime, ROOT_CONTEXT, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';
import type { Log } from '../../lib/log.ts';
import { version } from '../../lib/version.ts';
import type { PlannedSpan } from './run-spans.ts';
import type { TraceParent } from './trace-parent.ts';
import type { TracingConfig } from './tracing-config.ts';

// The library would read the rest of its settings from the environment, which is read in one place: so all of them are given.
const exportMs = 5_000;
const queueSettings = {
  maxQueueSize: 4_096,
  maxExportBatchSize: 512,
  scheduledDelayMillis: 2_000,
  exportTimeoutMillis: exportMs,
};
const spanLimits = {
  attributeValueLengthLimit: 2_000,
  attributeCountLimit: 64,
  eventCountLimit: 0,
  linkCountLimit: 0,
};

/** Sends spans to a collector, in batches, dropping what is too much. */
export interface SpanWriter {
  write(span: PlannedSpan, parent: TraceParent | null): void;
  /** Sends what is left, and gives up when `signal` is aborted. */
  close(signal: AbortSignal): Promise<void>;
}

/** Loads OpenTelemetry: import this file lazily. `instance` names this bridge among several. */
export function openOtlpExporter(
  { url, headers, serviceName, resource }: TracingConfig,
  { instance, log }: { instance: string; log: Log },
): SpanWriter {
  const Agent = url.reveal().startsWith('https:') ? HttpsAgent : HttpAgent;
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  const exporter = new OTLPTraceExporter({
    url: url.reveal(),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.reveal()])),
    timeoutMillis: exportMs,
    concurrencyLimit: 2,
    httpAgentOptions: () => agent,
  });
  const provider = new BasicTracerProvider({
    sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    resource: resourceFromAttributes({
      ...resource,
      'service.name': serviceName,
      'service.version': version,
      'service.instance.id': instance,
    }),
    spanLimits,
    generalLimits: spanLimits,
    spanProcessors: [new BatchSpanProcessor(tellingFailures(exporter, log), queueSettings)],
  });
  const tracer = provider.getTracer('qualinet-bridge', version);
  return {
    write(span, parent) {
      const context =
        parent === null
          ? ROOT_CONTEXT
          : trace.setSpanContext(ROOT_CONTEXT, {
              ...{ traceId: parent.traceId, spanId: parent.spanId },
              ...{ traceFlags: parent.flags, isRemote: true },
            });
      writeSpan(tracer, span, context, parent === null ? SpanKind.INTERNAL : SpanKind.CONSUMER);
    },
    async close(signal) {
      const given = new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      await Promise.race([provider.shutdown().catch(() => {}), given]);
      // A collector that hangs would hold the process.
      agent.destroy();
    },
  };
}

function writeSpan(
  tracer: Tracer,
  { name, startMs, endMs, attributes, error, children }: PlannedSpan,
  parent: typeof ROOT_CONTEXT,
  kind: SpanKind,
): void {
  const span = tracer.startSpan(name, { kind, attributes, startTime: hrTime(startMs) }, parent);
  const within = trace.setSpan(parent, span);
  for (const child of children) writeSpan(tracer, child, within, SpanKind.INTERNAL);
  if (error !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
  span.end(hrTime(endMs));
}

// Whole microseconds: more does not fit a double of that size.
function hrTime(ms: number): HrTime {
  const micros = Math.round(ms * 1_000);
  return [Math.floor(micros / 1_000_000), (micros % 1_000_000) * 1_000];
}

// The library keeps failures to itself; told once, and once more when it is over.
function tellingFailures(exporter: SpanExporter, log: Log): SpanExporter {
  let isFailing = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        // 0 is success.
        const failed = result.code !== 0;
        if (failed && !isFailing) log.warn('traces cannot be delivered', { error: result.error });
        if (!failed && isFailing) log.info('traces are delivered again');
        isFailing = failed;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}
