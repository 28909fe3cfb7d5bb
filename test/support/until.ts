import { setTimeout as delay } from 'node:timers/promises';

/** Waits until `condition` holds; throws after `limitMs`, naming what was waited for. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = 15_000,
): Promise<void> {
  const endsAt = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > endsAt) throw new Error(`waited ${limitMs} ms in vain until ${what}`);
    await delay(10);
  }
}
