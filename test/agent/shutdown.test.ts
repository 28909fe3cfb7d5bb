import { describe, expect, it } from 'vitest';
import { type StopSignal, watchSignals } from '../../src/agent/shutdown.ts';
import { ManualClock } from '../support/manual-clock.ts';

function watched() {
  const clock = new ManualClock();
  const listeners = new Set<(signal: StopSignal) => void>();
  const told: string[] = [];
  const exits: number[] = [];
  const shutdown = watchSignals(
    {
      onSignal(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      exit(code): never {
        exits.push(code);
        throw new Error('exit');
      },
    },
    {
      reason: () => new Error('stopped'),
      drainMs: 300_000,
      onStep: (step) => told.push(step.do),
      sleep: (ms, signal) => clock.sleep(ms, signal),
    },
  );
  const send = (signal: StopSignal): void => {
    for (const listener of listeners) listener(signal);
  };
  return { clock, shutdown, told, exits, send, listeners };
}

describe('signals', () => {
  it('first drain, then stop, then exit', () => {
    const { shutdown, send, told, exits } = watched();
    expect([shutdown.drainSignal.aborted, shutdown.stopSignal.aborted]).toEqual([false, false]);
    send('SIGTERM');
    expect([shutdown.drainSignal.aborted, shutdown.stopSignal.aborted]).toEqual([true, false]);
    expect(shutdown.exitCode()).toBeNull();
    send('SIGTERM');
    expect([shutdown.stopSignal.aborted, shutdown.exitCode()]).toEqual([true, 143]);
    expect(() => send('SIGINT')).toThrow('exit');
    expect([told, exits]).toEqual([['drain', 'stop', 'exit'], [130]]);
  });

  it('end a drain that takes longer than it may', async () => {
    const { shutdown, send, clock } = watched();
    send('SIGINT');
    await clock.advance(300_000 - 1);
    expect(shutdown.stopSignal.aborted).toBe(false);
    await clock.advance(1);
    expect(shutdown.stopSignal.aborted).toBe(true);
  });

  it('leave no listener and no timer behind', () => {
    const { shutdown, send, clock, listeners } = watched();
    send('SIGINT');
    shutdown.close();
    expect([listeners.size, clock.sleepers]).toEqual([0, 0]);
  });
});
