import type { RunPage } from './run-page.ts';

/**
 * Has a page of our own rendered, on a page that nobody has used, which is closed again. Rejects when Chromium does not paint it: a
 * browser whose process lives may hang all the same.
 */
export async function renderPage(newRun: () => Promise<RunPage>): Promise<void> {
  const { page, close } = await newRun();
  try {
    await page.setContent('<!doctype html><title>ready</title><p>ready');
    await page.screenshot({
      type: 'jpeg',
      quality: 1,
      clip: { x: 0, y: 0, width: 8, height: 8 },
      timeout: renderMs,
    });
  } finally {
    await close();
  }
}

const renderMs = 8_000;
