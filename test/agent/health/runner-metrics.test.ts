import { describe, expect, it } from 'vitest';
import { createPulse } from '../../../src/agent/health/pulse.ts';
import { createRunCounts } from '../../../src/agent/health/run-counts.ts';
import { runnerMetrics } from '../../../src/agent/health/runner-metrics.ts';
import { parseExposition } from '../../support/exposition.ts';

function metrics(version = '1.2.3') {
  const pulse = createPulse({ monotonicMs: () => 5_000 });
  pulse.polled();
  const counts = createRunCounts();
  for (let run = 0; run < 50; run += 1) {
    const about = { runId: `run-${run}`, leaseId: `lease-${run}`, name: `flow ${run}`, attempt: 1, steps: 1 };
    counts.onEvent({ type: 'run_started', ...about } as never);
    const failed = {
      type: 'step_complete',
      status: 'failed',
      nodeId: `node-${run}`,
      error: `https://site-${run}`,
    };
    counts.onEvent({ type: 'step', runId: about.runId, event: failed } as never);
    const end = { kind: 'delivered', status: run % 2 === 0 ? 'passed' : 'failed' };
    counts.onEvent({ type: 'run_ended', ...about, end } as never);
    counts.onEvent({ type: 'disconnected', error: `cannot reach https://user-${run}@bridge` } as never);
  }
  return runnerMetrics({
    version,
    concurrency: 2,
    counts,
    pulse,
    browserStarts: 3,
    isReady: false,
    spool: { runs: 1, bytes: 2 },
    process: { residentBytes: 1e8, heapBytes: 5e7, cpuSeconds: 1.5, upSeconds: 60, loopUtilization: 0.25 },
  });
}

describe('the metrics of a runner', () => {
  it('are what a scraper reads, named as Prometheus asks for', () => {
    const { samples, types, value } = parseExposition(metrics());
    for (const { name } of samples) {
      expect(name).toMatch(/^qualinet_runner_[a-z]+(_[a-z]+)*$/);
      expect(name.endsWith('_total')).toBe(types.get(name) === 'counter');
      // Base units, and at the end of the name.
      expect(name).not.toMatch(/_(ms|milliseconds|mib|kib|percent)(_|$)|(seconds|bytes|ratio)_(?!total$)/);
    }
    expect(value('qualinet_runner_runs_total', { end: 'passed' })).toBe(25);
    expect(value('qualinet_runner_browser_restarts_total')).toBe(2);
    expect(value('qualinet_runner_event_loop_utilization_ratio')).toBe(0.25);
  });

  it('have as many samples after many runs as after one, and nothing of flows, sites or bridges in them', () => {
    const text = metrics();
    expect(parseExposition(text).samples.length).toBeLessThan(30);
    expect(text).not.toMatch(/run-|lease-|node-|site-|bridge"|user-|https?:/);
  });

  it('keep a text that was chosen by others within its label', () => {
    const { value } = parseExposition(metrics('1.2.3"} 1\n\\evil{a="'));
    expect(value('qualinet_runner_build_info', { version: '1.2.3"} 1\n\\evil{a="' })).toBe(1);
  });
});
