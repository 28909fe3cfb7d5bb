import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { abortScope } from '../../src/lib/abort-scope.ts';
import { ManualClock } from '../support/manual-clock.ts';

describe('a scope', () => {
  it('ends with the first of the signals that it follows, for the same reason', () => {
    const [one, other] = [new AbortController(), new AbortController()];
    const scope = abortScope([one.signal, undefined, other.signal]);
    other.abort('second');
    one.abort('first');
    expect(scope.signal.reason).toBe('second');
  });

  it('is over from the start where one of them is', () => {
    expect(abortScope([AbortSignal.abort('before')]).signal.reason).toBe('before');
  });

  it('ends by itself when its time is over', async () => {
    const clock = new ManualClock();
    const scope = abortScope([], { clock, timeoutMs: 1_000, reason: () => 'too late' });
    await clock.advance(999);
    expect(scope.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(scope.signal.reason).toBe('too late');
  });

  it('leaves nothing attached to them once it is closed, and follows them no more', async () => {
    const clock = new ManualClock();
    const outer = new AbortController();
    const scope = abortScope([outer.signal], { clock, timeoutMs: 1_000, reason: () => 'too late' });
    scope.close();
    expect(getEventListeners(outer.signal, 'abort')).toHaveLength(0);
    outer.abort();
    await clock.advance(2_000);
    expect(scope.signal.aborted).toBe(false);
  });
});
