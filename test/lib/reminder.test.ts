import { expect, it } from 'vitest';
import { createReminder } from '../../src/lib/reminder.ts';
import { ManualClock } from '../support/manual-clock.ts';

it('lets the same text through once in its time, another at once, and any after it was forgotten', async () => {
  const clock = new ManualClock();
  const { isDue, forget } = createReminder(clock, 60_000);
  expect([isDue('a'), isDue('a'), isDue('b'), isDue('b')]).toEqual([true, false, true, false]);
  await clock.advance(59_999);
  expect(isDue('b')).toBe(false);
  await clock.advance(1);
  expect([isDue('b'), isDue('b')]).toEqual([true, false]);
  forget();
  expect(isDue('b')).toBe(true);
});
