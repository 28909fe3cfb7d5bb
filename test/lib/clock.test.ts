import { describe, expect, it } from 'vitest';
import { systemClock, withSleep } from '../../src/lib/clock.ts';

describe('the clock that counts sleep', () => {
  function machine() {
    const at = { awakeMs: 5_000, uptimeSeconds: 100 };
    const read = withSleep(
      () => at.awakeMs,
      () => at.uptimeSeconds,
    );
    return { at, read };
  }

  it('goes with the other one while the machine is awake, however coarse the uptime is', () => {
    const { at, read } = machine();
    for (let ms = 5_000; ms < 20_000; ms += 70) {
      at.awakeMs = ms;
      at.uptimeSeconds = 100 + Math.floor((ms - 5_000) / 1_000);
      expect(read()).toBe(ms);
    }
  });

  it('has gone on after a sleep, in which the other one stood still', () => {
    const { at, read } = machine();
    at.uptimeSeconds += 2_460;
    expect(read()).toBe(5_000 + 2_460_000);
    at.awakeMs += 10;
    expect(read()).toBe(5_010 + 2_460_000);
  });

  it('adds up short sleeps', () => {
    const { at, read } = machine();
    for (let sleep = 0; sleep < 60; sleep += 1) {
      at.uptimeSeconds += 1;
      read();
    }
    expect(read()).toBeGreaterThanOrEqual(5_000 + 58_500);
  });

  it('never goes back when the uptime does', () => {
    const { at, read } = machine();
    at.uptimeSeconds += 60;
    const before = read();
    at.uptimeSeconds = 0;
    expect(read()).toBe(before);
  });

  it('does without an uptime where the system does not tell it', () => {
    const read = withSleep(
      () => 42,
      () => {
        throw new Error('uv_uptime: not implemented');
      },
    );
    expect(read()).toBe(42);
  });

  it('of this machine agrees with the other one', () => {
    const [before, counted, after] = [
      systemClock.monotonicMs(),
      systemClock.monotonicWithSleepMs(),
      systemClock.monotonicMs(),
    ];
    expect(counted).toBeGreaterThanOrEqual(before);
    expect(counted).toBeLessThanOrEqual(after);
  });
});
