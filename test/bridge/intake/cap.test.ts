import { describe, expect, it } from 'vitest';
import { capOf, sharesOf } from '../../../src/bridge/intake/cap.ts';

describe('the cap on held jobs', () => {
  it('is what runners have and could take, and a few for those who become free', () => {
    expect(capOf({ running: 0, blocked: 0, spare: 0, freeSlots: 0 })).toBe(20);
    expect(capOf({ running: 7, blocked: 0, spare: 0, freeSlots: 3 })).toBe(30);
    expect(capOf({ running: 1, blocked: 0, spare: 20, freeSlots: 1 })).toBe(42);
  });

  it('looks the further past what nobody can take, the more of it there is', () => {
    expect(capOf({ running: 1, blocked: 20, spare: 0, freeSlots: 0 })).toBe(41);
    expect(capOf({ running: 1, blocked: 400, spare: 0, freeSlots: 0 })).toBe(601);
  });

  it('has an end', () => {
    expect(capOf({ running: 4_000, blocked: 90_000, spare: 0, freeSlots: 9_000 })).toBe(5_000);
  });
});

describe('the cap shared among queues', () => {
  it('is all of it for one', () => {
    expect(sharesOf(50, [17])).toEqual([50]);
  });

  it('gives a queue its part and what the others do not use', () => {
    expect(sharesOf(60, [0, 0, 0])).toEqual([60, 60, 60]);
    expect(sharesOf(60, [60, 0, 0])).toEqual([60, 20, 20]);
    expect(sharesOf(60, [60, 20, 5])).toEqual([35, 20, 20]);
  });

  it('leaves no queue without a job', () => {
    expect(
      sharesOf(
        20,
        Array.from({ length: 40 }, () => 1),
      ),
    ).toEqual(Array.from({ length: 40 }, () => 1));
  });
});
