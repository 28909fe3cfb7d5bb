import { setTimeout as delay } from 'node:timers/promises';

/** Waits until `condition` gives something else than null or false, and gives that; throws after `limitMs`, naming what was waited for. */
export async function until<T>(
  what: string,
  condition: () => T | null | false | Promise<T | null | false>,
  limitMs = 15_000,
): Promise<T> {
  const endsAt = performance.now() + limitMs;
  for (;;) {
    const value = await condition();
    if (value !== null && value !== false) return value;
    if (performance.now() > endsAt) throw new Error(`waited ${limitMs} ms in vain until ${what}`);
    await delay(10);
  }
}
