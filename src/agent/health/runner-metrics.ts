import type { ProcessReading } from './process-reading.ts';
import type { Pulse } from './pulse.ts';
import type { RunCounts } from './run-counts.ts';

/** What the metrics of a runner are made from. */
export interface MetricsSource {
  version: string;
  concurrency: number;
  counts: RunCounts;
  pulse: Pulse;
  /** Chromiums started in this life; the first one is no restart. */
  browserStarts: number;
  isReady: boolean;
  spool: { runs: number; bytes: number };
  process: ProcessReading;
}

/** The metrics of a runner in Prometheus' text format. */
export function runnerMetrics(source: MetricsSource): string {
  const { version, concurrency, counts, pulse, browserStarts, isReady, spool, process } = source;
  const pollAgeMs = pulse.pollAgeMs();
  return [
    gauge('build_info', 'Version of the runner.', [[{ version }, 1]]),
    gauge('ready', '1 while /ready answers 200.', isReady ? 1 : 0),
    counter('runs', 'Runs by how they ended.', labelled('end', counts.runs)),
    counter('steps', 'Steps by status.', labelled('status', counts.steps)),
    gauge('runs_running', 'Runs under way.', counts.running),
    gauge('slots', 'Runs it takes at the same time.', concurrency),
    counter('polls', 'Polls by whether they were answered.', [
      [{ outcome: 'answered' }, pulse.polls()],
      [{ outcome: 'failed' }, counts.failedPolls],
    ]),
    gauge(
      'last_poll_age_seconds',
      'Since a poll was answered; it grows while all slots are taken, too.',
      pollAgeMs === null ? [] : pollAgeMs / 1_000,
    ),
    gauge(
      'loop_overdue_seconds',
      'How long the lease loop is silent beyond what it said.',
      pulse.overdueMs() / 1_000,
    ),
    gauge('runs_owed', 'Runs that are over and not delivered yet.', counts.owed),
    gauge('spool_runs', 'Runs that have something on disk.', spool.runs),
    gauge('spool_bytes', 'What is kept on disk for the bridge.', spool.bytes),
    counter('browser_restarts', 'Chromiums started after the first.', Math.max(0, browserStarts - 1)),
    gauge(
      'process_resident_bytes',
      'Memory of the runner itself, without its browser.',
      process.residentBytes,
    ),
    gauge('process_heap_bytes', 'Used JavaScript heap.', process.heapBytes),
    counter('process_cpu_seconds', 'Processor time of the runner itself.', process.cpuSeconds),
    gauge('process_up_seconds', 'Since the process started.', process.upSeconds),
    gauge(
      'event_loop_utilization_ratio',
      'How busy the event loop was since the last look, 0 to 1.',
      process.loopUtilization,
    ),
  ].join('');
}

type Labels = Readonly<Record<string, string>>;
type Samples = number | readonly (readonly [Labels, number])[];

function gauge(name: string, help: string, samples: Samples): string {
  return family(`qualinet_runner_${name}`, 'gauge', help, samples);
}

function counter(name: string, help: string, samples: Samples): string {
  return family(`qualinet_runner_${name}_total`, 'counter', help, samples);
}

function family(name: string, type: 'gauge' | 'counter', help: string, samples: Samples): string {
  const rows = typeof samples === 'number' ? [[{}, samples] as const] : samples;
  if (rows.length === 0) return '';
  const lines = rows.map(([labels, value]) => `${name}${labelText(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function labelled(label: string, values: ReadonlyMap<string, number>): [Labels, number][] {
  return [...values].map(([name, value]) => [{ [label]: name }, value]);
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
