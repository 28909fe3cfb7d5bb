import type { Log } from '../../lib/log.ts';
import type { RunUpdate } from '../../protocol/run-result.ts';
import { type EventLog, updatesPerPage } from '../events/event-log.ts';
import type { RunEnd, RunObserver } from '../leases/run-end.ts';
import { runSpans } from './run-spans.ts';
import { parseTraceParent } from './trace-parent.ts';
import type { TracingConfig } from './tracing-config.ts';

/** Longest the end of a bridge is held up by traces that are not delivered yet. */
const closeMs = 3_000;
/** Runs whose events are being read; those that end beyond are traced without their steps. */
const readsAtOnce = 50;
/** Pages of events that are read of one run: as many as its longest flow has. */
const pagesAtMost = 10;

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

async function updatesOf(events: EventLog, { runId, fence }: RunEnd): Promise<RunUpdate[]> {
  const updates: RunUpdate[] = [];
  let position = { fence, seq: 0 };
  for (let page = 0; page < pagesAtMost; page += 1) {
    const more = await events.read(runId, position);
    updates.push(...more);
    position = more.at(-1) ?? position;
    if (more.length < updatesPerPage) break;
  }
  return updates;
}
