import type { Page } from 'playwright-core';
import type { Clock } from '../lib/clock.ts';
import { limits } from '../protocol/limits.ts';
import { plainMessage } from './step-error.ts';
import { withinMs } from './time-budget.ts';

/** A picture of the page as a failed step left it. */
export interface Picture {
  bytes: Uint8Array;
  contentType: 'image/png' | 'image/jpeg';
}

/**
 * Takes a picture of what the window shows, fields for passwords masked. In one of five cases the first try fails,
 * because a navigation is under way; the second hardly ever does. A page that hangs costs `limitMs` and gives a problem.
 */
export async function takePicture(
  page: Page,
  { clock, halt, limitMs = pictureMs }: { clock: Clock; halt: AbortSignal; limitMs?: number },
): Promise<Picture | { problem: string }> {
  if (halt.aborted || page.isClosed()) return { problem: 'the page is gone' };
  const picture = takeSmallEnough(page, clock, halt, limitMs);
  try {
    return (
      (await withinMs(picture, limitMs, clock, halt)) ?? {
        problem: 'the page did not let itself be pictured in time',
      }
    );
  } catch (error) {
    return { problem: `no picture could be taken: ${plainMessage(error).split('\n')[0] ?? ''}` };
  }
}

/** Longest the evidence of a failure may keep a run. */
const pictureMs = 5_000;
const retryMs = 100;
const stopMs = 1_000;

/** Without it no picture can be taken while an address that never answers is being opened. */
async function stopLoading(page: Page): Promise<void> {
  try {
    const session = await page.context().newCDPSession(page);
    await session.send('Page.stopLoading');
    await session.detach();
  } catch {
    // Then the picture itself will tell what is wrong.
  }
}

async function takeSmallEnough(
  page: Page,
  clock: Clock,
  halt: AbortSignal,
  limitMs: number,
): Promise<Picture | { problem: string }> {
  const common = {
    mask: [page.locator('input[type=password]')],
    timeout: Math.round(limitMs / 3),
    signal: halt,
  };
  const takePng = async (): Promise<Buffer> => {
    await withinMs(stopLoading(page), stopMs, clock, halt);
    return page.screenshot({ ...common, type: 'png' });
  };
  const png = await takePng().catch(async () => {
    await clock.sleep(retryMs, halt);
    return takePng();
  });
  if (png.length <= limits.artifactBytes) return { bytes: png, contentType: 'image/png' };
  const jpeg = await page.screenshot({ ...common, type: 'jpeg', quality: 60 });
  if (jpeg.length <= limits.artifactBytes) return { bytes: jpeg, contentType: 'image/jpeg' };
  return { problem: `the picture is larger than ${limits.artifactBytes} bytes` };
}
