import type { Log } from '../../lib/log.ts';
import type { RunUpdate } from '../../protocol/run-result.ts';
import { type EventLog, updatesAfter } from '../events/event-log.ts';
import type { RunEnd, RunObserver } from '../leases/run-end.ts';
import { runSpans } from './run-spans.ts';
import { parseTraceParent } from './trace-parent.ts';
import type { TracingConfig } from './tracing-config.ts';

/** Longest the end of a bridge is held up by traces that are not delivered yet. */
const closeMs = 3_000;
/** Runs whose events are being read; those that end beyond are traced without their steps. */
const readsAtOnce = 50;

/** Traces of runs, made when they end. */
export interface Tracing {
  observe: RunObserver;
  /** Sends what is left, for at most 3 s. */
  close(): Promise<void>;
}

/**
 * Writes the trace of each run that ends here, from queued to result, whatever bridges it had to do with before: everything
 * is on its row and in its events. No run waits for it or fails with it.
 */
export async function startTracing(
  config: TracingConfig,
  { events, log, instance }: { events: EventLog; log: Log; instance: string },
): Promise<Tracing> {
  const { openOtlpExporter } = await import('./otlp-exporter.ts');
  const exporter = openOtlpExporter(config, { instance, log });
  const writing = new Set<Promise<void>>();

  async function write(run: RunEnd, withSteps: boolean): Promise<void> {
    const updates = withSteps ? await updatesOf(events, run).catch(() => []) : [];
    try {
      exporter.write(runSpans(run, updates), parseTraceParent(run.traceParent));
    } catch (error) {
      log.error('a run could not be traced', { runId: run.runId, error });
    }
  }

  return {
    observe(run) {
      const written = write(run, run.stepsResult.length > 0 && writing.size < readsAtOnce);
      writing.add(written);
      void written.finally(() => writing.delete(written));
    },
    async close() {
      const timeout = AbortSignal.timeout(closeMs);
      const over = new Promise<void>((resolve) => timeout.addEventListener('abort', () => resolve()));
      await Promise.race([Promise.all(writing), over]);
      await exporter.close(timeout);
    },
  };
}

// An attempt has a bounded number of events, and nothing comes after the last attempt of a run that is over.
async function updatesOf(events: EventLog, { runId, fence }: RunEnd): Promise<RunUpdate[]> {
  const updates: RunUpdate[] = [];
  for await (const update of updatesAfter(events, runId, { fence, seq: 0 })) updates.push(update);
  return updates;
}
