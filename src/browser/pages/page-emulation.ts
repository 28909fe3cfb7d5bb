import type { CDPSession, Page } from 'playwright-core';
import type { RunPages } from './run-pages.ts';

/** How the window of a page is, in CSS pixels; `null` for what stays as a desktop has it. */
interface Viewport {
  width: number;
  height: number;
  deviceScaleFactor: number;
  isMobile: boolean;
  hasTouch: boolean;
  isLandscape: boolean;
}

/** What the network is like for the pages of a run; -1 for no limit. */
interface NetworkConditions {
  offline: boolean;
  latencyMs: number;
  downloadBytesPerSecond: number;
  uploadBytesPerSecond: number;
}

/** What pages of a run are told of their window and their network. */
export interface PageEmulation {
  /** Holds for this page, over its navigations, and for pages that open from now on. */
  setViewport(page: Page, viewport: Viewport): Promise<void>;
  /** Holds for all pages of the run, those that open later, too. */
  setNetwork(conditions: NetworkConditions): Promise<void>;
  /** Resolves when the page has everything it was told. A step waits for it before it begins. */
  ready(page: Page): Promise<void>;
}

/**
 * Tells pages by DevTools what Playwright could tell only a new context: pixel ratio, touch, mobile layout and a slow network. So the
 * page that stands ready for the next run serves every flow.
 */
export function pageEmulation(pages: RunPages): PageEmulation {
  const sessions = new Map<Page, Promise<CDPSession>>();
  const special = new Map<Page, Viewport>();
  const scales = new WeakMap<Page, number>();
  const pending = new Map<Page, Promise<void>>();
  let lastViewport: Viewport | null = null;
  let conditions: NetworkConditions | null = null;

  /** Kept open: what a session has told a page ends with it. */
  function devTools(page: Page): Promise<CDPSession> {
    const known = sessions.get(page);
    if (known !== undefined) return known;
    const opened = page.context().newCDPSession(page);
    sessions.set(page, opened);
    page.on('close', () => {
      sessions.delete(page);
      special.delete(page);
      pending.delete(page);
    });
    return opened;
  }

  async function show(page: Page, viewport: Viewport): Promise<void> {
    const { width, height } = viewport;
    await page.setViewportSize({ width, height });
    const wasSpecial = special.has(page);
    if (!isSpecial(viewport) && !wasSpecial) return;
    special.set(page, viewport);
    await override(page, viewport);
    if (!isSpecial(viewport)) special.delete(page);
  }

  /** A picture makes Chromium forget the pixel ratio, and the same words once more do nothing: `isAgain` makes them others. */
  async function override(page: Page, viewport: Viewport, isAgain = false): Promise<void> {
    const scale = isAgain && scales.get(page) !== almostOne ? almostOne : 1;
    scales.set(page, scale);
    const { width, height, deviceScaleFactor, isMobile: mobile, hasTouch, isLandscape } = viewport;
    const session = await devTools(page);
    await session.send('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      screenWidth: width,
      screenHeight: height,
      deviceScaleFactor,
      scale,
      mobile,
      screenOrientation: isLandscape
        ? { type: 'landscapePrimary', angle: mobile ? 90 : 0 }
        : { type: 'portraitPrimary', angle: 0 },
    });
    await session.send('Emulation.setTouchEmulationEnabled', {
      enabled: hasTouch,
      ...(hasTouch ? { maxTouchPoints: 1 } : {}),
    });
  }

  async function slow(page: Page, { latencyMs, ...how }: NetworkConditions): Promise<void> {
    const session = await devTools(page);
    await session.send('Network.emulateNetworkConditions', {
      offline: how.offline,
      latency: latencyMs,
      downloadThroughput: how.downloadBytesPerSecond,
      uploadThroughput: how.uploadBytesPerSecond,
    });
  }

  pages.forEach((page) => {
    const told: Promise<void>[] = [];
    // A window that its opener gave a size keeps that.
    if (lastViewport !== null && hasDefaultSize(page)) told.push(show(page, lastViewport));
    if (conditions !== null) told.push(slow(page, conditions));
    if (told.length > 0) {
      // The page may go before it was told.
      pending.set(
        page,
        Promise.all(told).then(
          () => {},
          () => {},
        ),
      );
    }
  });

  return {
    async setViewport(page, viewport) {
      lastViewport = viewport;
      await show(page, viewport);
    },
    async setNetwork(given) {
      const isPlain =
        !given.offline &&
        given.latencyMs === 0 &&
        given.downloadBytesPerSecond === -1 &&
        given.uploadBytesPerSecond === -1;
      const all: Page[] = pages.open();
      // Playwright's own way reaches frames of other sites and workers, too.
      await all[0]?.context().setOffline(given.offline);
      conditions = isPlain ? null : given;
      await Promise.all(all.map((page) => slow(page, given)));
    },
    async ready(page) {
      await pending.get(page);
      pending.delete(page);
      const viewport = special.get(page);
      if (viewport === undefined || page.isClosed()) return;
      const session = await devTools(page);
      const { result } = await session.send('Runtime.evaluate', { expression: 'devicePixelRatio' });
      if (result.value !== viewport.deviceScaleFactor) await override(page, viewport, true);
    },
  };
}

/** A scale that nobody sees. */
const almostOne = 1.000_001;

function isSpecial({ deviceScaleFactor, isMobile, hasTouch }: Viewport): boolean {
  return deviceScaleFactor !== 1 || isMobile || hasTouch;
}

/** Playwright's own for pages that nobody gave a size. */
function hasDefaultSize(page: Page): boolean {
  const size = page.viewportSize();
  return size?.width === 1280 && size.height === 720;
}
