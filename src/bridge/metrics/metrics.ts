import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Clock } from '../../lib/clock.ts';
import { errorText } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { version } from '../../lib/version.ts';
import type { RunObserver } from '../leases/run-end.ts';
import { oneAtATime, sharedRead } from '../shared-read.ts';
import { withinTime } from '../time-limit.ts';
import type { GaugeReading, GaugeSource } from './gauges.ts';
import { processMetrics } from './process-metrics.ts';

/** Longest a look at gauges may take, so that counters are told also while a server hangs. */
const limitMs = 2_000;
/** How long gauges hold. */
const ttlMs = 1_000;

/** How a poll ended: with runs, without any, its poller gone, refused for its version, or by an error. */
export type PollOutcome = 'runs' | 'empty' | 'gone' | 'refused' | 'failed';

/** What this bridge counts, and what it knows of all of them together. */
export interface Metrics {
  /** `status` is null when the peer has gone before its answer. */
  requestAnswered(route: string, status: number | null, tookMs: number): void;
  pollBegan(): void;
  pollEnded(outcome: PollOutcome): void;
  eventsReceived(count: number): void;
  uploadPresigned(): void;
  runEnded: RunObserver;
  leaseReturned(reason: string): void;
  /** Adds gauges of a source; `name` is told when it cannot be read. */
  addSource(name: string, source: GaugeSource): void;
  /** Everything in Prometheus' text format. */
  text(): Promise<string>;
}

export function createMetrics({ clock, log }: { clock: Clock; log: Log }): Metrics {
  const registry = new Registry();
  const ofProcess = processMetrics();
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name, help, labelNames, registers: [registry] });
  const histogram = (name: string, help: string, buckets: number[], labelNames: string[] = []) =>
    new Histogram({ name, help, buckets, labelNames, registers: [registry] });

  new Gauge({
    name: 'qualinet_build_info',
    help: 'Version of this bridge.',
    labelNames: ['version'],
    registers: [registry],
  })
    .labels(version)
    .set(1);
  const requests = counter(
    'qualinet_http_requests_total',
    'Requests that this bridge answered, by route and class of status; gone: the peer did not wait for its answer.',
    ['route', 'status'],
  );
  const requestSeconds = histogram(
    'qualinet_http_request_duration_seconds',
    'Time from a request to its answer at this bridge; polls and event streams, which wait on purpose, are left out.',
    [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    ['route'],
  );
  const polls = counter(
    'qualinet_polls_total',
    'Polls of runners at this bridge, by outcome: runs, empty, gone, refused (version), failed.',
    ['outcome'],
  );
  // Series that begin with 0, so that the first increase is seen as one.
  for (const outcome of ['runs', 'empty', 'gone', 'refused', 'failed']) polls.labels(outcome).inc(0);
  const waiting = new Gauge({
    name: 'qualinet_polls_waiting',
    help: 'Polls that wait for a run at this bridge.',
    registers: [registry],
  });
  const events = counter(
    'qualinet_events_received_total',
    'Step events that runners posted to this bridge; one that is posted again counts again.',
  );
  const uploads = counter('qualinet_uploads_presigned_total', 'Uploads that this bridge gave a URL for.');
  const finished = counter(
    'qualinet_runs_finished_total',
    'Runs that this bridge wrote the end of, by status.',
    ['status'],
  );
  for (const status of ['passed', 'failed', 'cancelled']) finished.labels(status).inc(0);
  const runSeconds = histogram(
    'qualinet_run_duration_seconds',
    'Duration of runs that this bridge wrote the end of.',
    [0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600, 900],
  );
  const waitSeconds = histogram(
    'qualinet_run_queue_wait_seconds',
    'Time from the queueing of a run to the start of its last attempt; counted when the run ends, by the bridge that wrote that.',
    [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600],
  );
  const returned = counter(
    'qualinet_leases_returned_total',
    'Leases that this bridge put back to be given out again, by reason.',
    ['reason'],
  );

  const sources: { name: string; read: GaugeSource; isReadable: boolean }[] = [];
  const readGauges = sharedRead(clock, ttlMs, async (): Promise<string> => {
    const readings = await Promise.all(
      sources.map(async (source): Promise<readonly GaugeReading[]> => {
        try {
          const read = await withinTime(clock, limitMs, source.read());
          source.isReadable = true;
          return read;
        } catch (error) {
          if (source.isReadable)
            log.warn('gauges cannot be read', { source: source.name, error: errorText(error) });
          source.isReadable = false;
          return [];
        }
      }),
    );
    const readable = {
      name: 'qualinet_gauges_readable',
      help: 'Whether the gauges of a source could be read: 1, or 0 when they are missing here.',
      samples: sources.map(({ name, isReadable }) => ({
        labels: { source: name },
        value: isReadable ? 1 : 0,
      })),
    };
    return render([...readings.flat(), readable]);
  });

  return {
    requestAnswered(route, status, tookMs) {
      requests.labels(route, status === null ? 'gone' : `${Math.floor(status / 100)}xx`).inc();
      if (status !== null && !waitsOnPurpose.has(route)) requestSeconds.labels(route).observe(tookMs / 1_000);
    },
    pollBegan: () => waiting.inc(),
    pollEnded(outcome) {
      waiting.dec();
      polls.labels(outcome).inc();
    },
    eventsReceived: (count) => events.inc(count),
    uploadPresigned: () => uploads.inc(),
    runEnded({ status, durationMs, startedAtMs, queuedAtMs }) {
      finished.labels(knownStatuses.has(status) ? status : 'other').inc();
      if (durationMs !== null) runSeconds.observe(durationMs / 1_000);
      if (startedAtMs !== null) waitSeconds.observe(Math.max(0, startedAtMs - queuedAtMs) / 1_000);
    },
    leaseReturned: (reason) => returned.labels(reason).inc(),
    addSource: (name, source) => void sources.push({ name, read: oneAtATime(source), isReadable: true }),
    async text() {
      const parts = await Promise.all([readGauges(), registry.metrics(), ofProcess.metrics()]);
      return parts.map((part) => `${part.trimEnd()}\n`).join('');
    },
  };
}

const waitsOnPurpose = new Set(['pollLeases', 'control', 'followRun']);

// A backend may write words of its own into the row; each would be a series for ever.
const knownStatuses = new Set(['passed', 'failed', 'cancelled']);

function render(readings: readonly GaugeReading[]): Promise<string> {
  const registry = new Registry();
  for (const { name, help, samples } of readings) {
    // One without labels would begin with a 0 that nobody read.
    if (samples.length === 0) continue;
    const labelNames = Object.keys(samples[0]?.labels ?? {});
    const gauge = new Gauge({ name, help, labelNames, registers: [registry] });
    for (const { labels, value } of samples) gauge.set({ ...labels }, value);
  }
  return registry.metrics();
}
