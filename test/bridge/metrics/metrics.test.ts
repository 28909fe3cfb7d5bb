import { describe, expect, it } from 'vitest';
import type { GaugeReading } from '../../../src/bridge/metrics/gauges.ts';
import { createMetrics } from '../../../src/bridge/metrics/metrics.ts';
import type { Log } from '../../../src/lib/log.ts';
import { parseExposition } from '../../support/exposition.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function setUp() {
  const clock = new ManualClock();
  const warnings: unknown[] = [];
  const nothing = (): void => {};
  const log: Log = {
    debug: nothing,
    info: nothing,
    warn: (_message, fields) => warnings.push(fields?.['source']),
    error: nothing,
  };
  const metrics = createMetrics({ clock, log });
  return { clock, metrics, warnings, scrape: async () => parseExposition(await metrics.text()) };
}

const depth = (value: number): GaugeReading => ({
  name: 'qualinet_depth',
  help: 'How deep.',
  samples: [{ labels: { queue: 'a "queue"\\\n' }, value }],
});

describe('metrics', () => {
  it('begin with 0 for every outcome that there will be', async () => {
    const { samples } = await setUp().scrape();
    const of = (name: string) => samples.filter((sample) => sample.name === name);
    expect(of('qualinet_polls_total').map(({ value }) => value)).toEqual([0, 0, 0, 0, 0]);
    expect(of('qualinet_runs_finished_total').map(({ labels }) => labels['status'])).toEqual([
      'passed',
      'failed',
      'cancelled',
    ]);
  });

  it('show what every source reads, escaped, and leave out a gauge without samples', async () => {
    const { metrics, scrape } = setUp();
    metrics.addSource('one', async () => [depth(7)]);
    metrics.addSource('two', async () => [{ name: 'qualinet_nothing', help: 'Nothing.', samples: [] }]);
    const { value, types } = await scrape();
    expect(value('qualinet_depth', { queue: 'a "queue"\\\n' })).toBe(7);
    expect(types.has('qualinet_nothing')).toBe(false);
  });

  it('read sources at most once a second, and counters each time', async () => {
    const { metrics, scrape, clock } = setUp();
    let reads = 0;
    metrics.addSource('one', async () => {
      reads += 1;
      return [depth(reads)];
    });
    await Promise.all([scrape(), scrape(), scrape()]);
    metrics.eventsReceived(5);
    expect((await scrape()).value('qualinet_events_received_total')).toBe(5);
    expect(reads).toBe(1);
    await clock.advance(1_000);
    expect((await scrape()).value('qualinet_depth', { queue: 'a "queue"\\\n' })).toBe(2);
  });

  it('say which source cannot be read, tell the log once, and show the rest', async () => {
    const { metrics, scrape, clock, warnings } = setUp();
    let isBroken = true;
    metrics.addSource('broken', async () => {
      if (isBroken) throw new Error('no connection');
      return [depth(1)];
    });
    let asked = 0;
    metrics.addSource('hanging', () => {
      asked += 1;
      return new Promise(() => {});
    });
    for (let look = 0; look < 2; look += 1) {
      const scraping = scrape();
      await clock.advance(1);
      await clock.advance(1_999);
      const { value, types } = await scraping;
      expect(value('qualinet_gauges_readable', { source: 'broken' })).toBe(0);
      expect(value('qualinet_gauges_readable', { source: 'hanging' })).toBe(0);
      expect(types.has('qualinet_depth')).toBe(false);
      expect(types.has('qualinet_polls_total')).toBe(true);
      await clock.advance(1_000);
    }
    expect(asked).toBe(1);
    expect(warnings.sort()).toEqual(['broken', 'hanging']);
    isBroken = false;
    const scraping = scrape();
    await clock.advance(1);
    await clock.advance(1_999);
    expect((await scraping).value('qualinet_gauges_readable', { source: 'broken' })).toBe(1);
  });

  it('count a status that a backend made up as other', async () => {
    const { metrics, scrape } = setUp();
    const run = { durationMs: null, startedAtMs: null, queuedAtMs: 0 };
    for (const status of ['passed', 'archived', 'skipped'] as const) {
      metrics.runEnded({ ...run, status } as unknown as Parameters<typeof metrics.runEnded>[0]);
    }
    const { value } = await scrape();
    expect(value('qualinet_runs_finished_total', { status: 'passed' })).toBe(1);
    expect(value('qualinet_runs_finished_total', { status: 'other' })).toBe(2);
    expect(value('qualinet_run_queue_wait_seconds_count')).toBe(0);
  });
});
