import { defineConfig } from 'vitest/config';

/** The tests that read the repository itself: `npm run check` runs them without browser and server. */
export default defineConfig({
  test: { include: ['test/architecture.test.ts', 'test/docs/*.test.ts'] },
});
