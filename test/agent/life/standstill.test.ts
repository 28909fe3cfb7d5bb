import { describe, expect, it } from 'vitest';
import { type ClockReading, standstillBetween } from '../../../src/agent/life/standstill.ts';

const before: ClockReading = {
  wallMs: Date.parse('2026-11-24T10:00:00Z'),
  monotonicMs: 1_000,
  bootMs: 9_000,
  processorMs: 400,
};

function after(passed: { wallMs: number; monotonicMs: number; bootMs: number | null; processorMs?: number }) {
  return {
    wallMs: before.wallMs + passed.wallMs,
    monotonicMs: before.monotonicMs + passed.monotonicMs,
    bootMs: passed.bootMs === null ? null : (before.bootMs ?? 0) + passed.bootMs,
    processorMs: before.processorMs + (passed.processorMs ?? 0),
  };
}

describe('a standstill between two looks at the clocks, a second apart,', () => {
  it.each([
    ['is none when they agree', { wallMs: 1_100, monotonicMs: 1_100, bootMs: 1_100 }, null],
    [
      'is none when only the wall clock was set',
      { wallMs: 3_600_000, monotonicMs: 1_000, bootMs: 1_000 },
      null,
    ],
    [
      'is sleep when the clock of the boot went on without the other one',
      { wallMs: 2_461_000, monotonicMs: 1_000, bootMs: 2_461_000 },
      { kind: 'asleep', ms: 2_460_000, endedAt: '2026-11-24T10:41:01.000Z' },
    ],
    [
      'may be sleep when there is only the wall clock to tell',
      { wallMs: 2_461_000, monotonicMs: 1_000, bootMs: null },
      { kind: 'asleep_or_clock', ms: 2_460_000 },
    ],
    [
      'is a stopped process when it is late and did nothing',
      { wallMs: 61_000, monotonicMs: 61_000, bootMs: 61_000, processorMs: 10 },
      { kind: 'stopped', ms: 60_000 },
    ],
    [
      'is a blocked process when it is late and worked all the time',
      { wallMs: 61_000, monotonicMs: 61_000, bootMs: 61_000, processorMs: 58_000 },
      { kind: 'blocked', ms: 60_000 },
    ],
  ])('%s', (_, passed, expected) => {
    const found = standstillBetween(before, after(passed), 1_000);
    if (expected === null) expect(found).toBeNull();
    else expect(found).toMatchObject(expected);
  });
});
