import type { Locator, LocatorScreenshotOptions, Page } from 'playwright-core';
import { noSecrets } from '../../flow/local-secrets.ts';
import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../protocol/limits.ts';
import { plainMessage } from '../step/step-error.ts';
import { withinMs } from '../step/time-budget.ts';
import { coverSecrets, type Hidden } from './hide-secrets.ts';
import { createTypedFields } from './typed-fields.ts';

/** A picture of a page. */
export interface Picture {
  bytes: Uint8Array;
  contentType: 'image/png' | 'image/jpeg';
}

/**
 * Takes a picture of what the window shows, or of what else is asked for, fields for passwords and whatever shows a secret masked: where that is not
 * certain there is no picture. In one of five cases the first try fails, because a navigation is under way; the second
 * hardly ever does. A page that hangs costs `limitMs` and gives a problem.
 */
export async function takePicture(
  page: Page,
  { clock, halt, hidden = nothingTyped, of = 'window', limitMs = pictureMs }: PictureDeps,
): Promise<Picture | { problem: string }> {
  if (halt.aborted || page.isClosed()) return { problem: 'the page is gone' };
  const picture = takeSmallEnough(page, { clock, halt, hidden, of, limitMs });
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

interface PictureDeps {
  clock: Clock;
  halt: AbortSignal;
  /** What it may not show; nothing where the run has no secrets. */
  hidden?: Hidden;
  /** What the window shows, the page from top to bottom, or one element. */
  of?: 'window' | 'page' | Locator;
  limitMs?: number;
}

const nothingTyped: Hidden = { secrets: noSecrets, typed: createTypedFields() };

/** Longest the evidence of a failure may keep a run. */
const pictureMs = 5_000;
const retryMs = 100;
/** Longest one try may take; a picture takes 30 to 50 ms where nothing is in its way. */
const tryMs = 1_000;
/** The same for a whole page, which may be many windows long. */
const longTryMs = 5_000;
/** Tries before loading is stopped. */
const patientTries = 2;
const stopMs = 1_000;

/** Longest picture of a page in CSS pixels: what Chromium draws in one piece. */
const longestPage = 16_384;

async function shoot(
  page: Page,
  of: Required<PictureDeps>['of'],
  options: LocatorScreenshotOptions,
): Promise<Buffer> {
  if (of === 'window') return page.screenshot(options);
  if (of !== 'page') return of.screenshot(options);
  const { width, height } = await page.evaluate(() => ({
    width: document.documentElement.scrollWidth,
    height: document.documentElement.scrollHeight,
  }));
  if (width <= longestPage && height <= longestPage) return page.screenshot({ ...options, fullPage: true });
  const clip = { x: 0, y: 0, width: Math.min(width, longestPage), height: Math.min(height, longestPage) };
  return page.screenshot({ ...options, fullPage: true, clip });
}

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
  { clock, halt, hidden, of, limitMs }: Required<PictureDeps>,
): Promise<Picture | { problem: string }> {
  const endsAt = clock.monotonicMs() + limitMs;
  const longestTryMs = of === 'page' ? longTryMs : tryMs;
  const shot = async (options: LocatorScreenshotOptions): Promise<Buffer> => {
    const { mask } = await coverSecrets(page, hidden);
    const bytes = await shoot(page, of, { mask, signal: halt, ...options });
    // What the page drew meanwhile was not covered.
    if ((await coverSecrets(page, hidden)).isNews)
      throw new Error('the page keeps showing a secret in new places');
    return bytes;
  };
  // A navigation under way fails or delays a picture; the next try, a moment later, meets the page that came. Only one
  // that does not come is stopped: stopping one that does can leave the page in between.
  const takePng = async (tries = 1): Promise<Buffer> => {
    if (tries > patientTries) await withinMs(stopLoading(page), stopMs, clock, halt);
    const timeout = Math.max(1, Math.round(Math.min(longestTryMs, endsAt - clock.monotonicMs())));
    try {
      return await shot({ timeout, type: 'png' });
    } catch (error) {
      if (halt.aborted || page.isClosed() || clock.monotonicMs() + retryMs >= endsAt) throw error;
      await clock.sleep(retryMs, halt);
      return takePng(tries + 1);
    }
  };
  const png = await takePng();
  if (png.length <= limits.artifactBytes) return { bytes: png, contentType: 'image/png' };
  const jpeg = await shot({ timeout: longestTryMs, type: 'jpeg', quality: 60 });
  if (jpeg.length <= limits.artifactBytes) return { bytes: jpeg, contentType: 'image/jpeg' };
  return { problem: `the picture is larger than ${limits.artifactBytes} bytes` };
}
