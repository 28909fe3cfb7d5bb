import { expect, it } from 'vitest';
import { createPulse } from '../../../src/agent/health/pulse.ts';
import { ShutdownError } from '../../../src/agent/lease/run-outcome.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { fakeEngine, untilTrue } from '../agent-fixture.ts';
import { agent } from '../agent-scene.ts';

it('a loop is overdue when it is silent for longer than it said, and some grace', async () => {
  const clock = new ManualClock();
  const pulse = createPulse(clock);
  await clock.advance(1_000_000);
  expect(pulse.overdueMs()).toBe(0);
  pulse.waits(70_000);
  await clock.advance(100_000);
  expect(pulse.overdueMs()).toBe(0);
  await clock.advance(5_000);
  expect(pulse.overdueMs()).toBe(5_000);
  pulse.waits(null);
  await clock.advance(1_000_000);
  expect(pulse.overdueMs()).toBe(0);
});

it('a runner has a pulse as long as it polls, and while a long run takes its only slot', async () => {
  const gates: (() => void)[] = [];
  const engine = fakeEngine(
    () =>
      new Promise((resolve) => {
        gates.push(() => resolve(undefined));
      }),
  );
  const { bridge, run, drain, pulse } = await agent(engine);
  bridge.queueLease();
  const running = run();
  await untilTrue(() => gates.length === 1);
  expect(pulse.polls()).toBe(1);
  expect(pulse.isWaitingForRuns()).toBe(true);
  expect(pulse.pollAgeMs()).toBeGreaterThanOrEqual(0);
  gates[0]?.();
  await untilTrue(() => bridge.of('pollLeases').length === 2);
  expect(pulse.isWaitingForRuns()).toBe(false);
  expect(pulse.overdueMs()).toBe(0);
  drain.abort(new ShutdownError('drain'));
  await running;
  expect(pulse.isWaitingForRuns()).toBe(true);
});

it('a bridge that is away is no reason to restart a runner: the waits between polls are said, too', async () => {
  const clock = new ManualClock();
  const { bridge, run, drain, pulse, told } = await agent(fakeEngine(), {}, clock);
  const running = run();
  await untilTrue(() => pulse.polls() === 1);
  await bridge.close();
  await untilTrue(() => told.some(({ type }) => type === 'disconnected'));
  for (let second = 0; second < 300; second += 1) {
    await clock.advance(1_000);
    expect(pulse.overdueMs()).toBe(0);
  }
  drain.abort(new ShutdownError('drain'));
  const stopped = { done: false };
  void running.finally(() => {
    stopped.done = true;
  });
  await untilTrue(() => {
    void clock.advance(1_000);
    return stopped.done;
  });
});
