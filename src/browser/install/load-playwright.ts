import { createRequire } from 'node:module';
import type * as Playwright from 'playwright-core';

/**
 * Playwright, loaded at the first call. `require` and not `import`: importing it as a module costs 160 ms and 15 MB
 * more, because the whole bundle is parsed for its export names first.
 */
export function loadPlaywright(): typeof Playwright {
  loaded ??= createRequire(import.meta.url)('playwright-core') as typeof Playwright;
  return loaded;
}

let loaded: typeof Playwright | null = null;
