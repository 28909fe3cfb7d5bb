import type { Page, Response } from 'playwright-core';
import { findFrame } from '../locating/find-frame.ts';
import type { FrameSpot } from '../pages/frames-in-use.ts';
import { StepFailure } from '../step/step-error.ts';
import { cookieActions } from './cookie-actions.ts';
import { loadAddress, openAddress } from './open-address.ts';
import type { Action, ActionDone, Scene } from './scene.ts';

/** Opening, leaving and choosing pages and frames, and how the browser shows them. */
export const pageActions: {
  readonly [Type in
    | 'navigate'
    | 'reload'
    | 'back'
    | 'forward'
    | 'viewport'
    | 'openPage'
    | 'switchPage'
    | 'closePage'
    | 'frame'
    | 'network'
    | 'cookies'
    | 'storageState']: Action<Type>;
} = {
  ...cookieActions,

  async navigate({ url, waitUntil, referer }, scene) {
    return { logs: await openAddress(url, { waitUntil, referer }, scene) };
  },

  async reload({ waitUntil = 'load' }, scene) {
    const { page } = scene;
    await loadAddress(page.url(), scene, (options) => page.reload({ ...options, waitUntil }));
    return { logs: `Loaded ${page.url()} again` };
  },

  back: ({ waitUntil = 'load' }, scene) =>
    through('back', scene, (options) => scene.page.goBack({ ...options, waitUntil })),

  forward: ({ waitUntil = 'load' }, scene) =>
    through('forward', scene, (options) => scene.page.goForward({ ...options, waitUntil })),

  async viewport(data, { page, emulation, budget }) {
    const { width, height, deviceScaleFactor = 1, isMobile = false, hasTouch = false } = data;
    const { isLandscape = width > height } = data;
    const told = { width, height, deviceScaleFactor, isMobile, hasTouch, isLandscape };
    await budget.spend(emulation.setViewport(page, told));
    const more = [
      ...(deviceScaleFactor === 1 ? [] : [`${deviceScaleFactor} pixels to each of CSS`]),
      ...(isMobile ? ['mobile layout'] : []),
      ...(hasTouch ? ['touch'] : []),
    ];
    return { logs: [`Window of ${width} × ${height}`, ...more].join(', ') };
  },

  async openPage({ url, name, waitUntil }, scene) {
    const { pages, emulation, ensureMayAct, budget } = scene;
    ensureMayAct();
    const page = await pages.add();
    pages.enter(page);
    pages.use(page);
    if (name !== undefined) pages.name(page, name);
    await budget.spend(emulation.ready(page));
    const named = name === undefined ? '' : ` as "${name}"`;
    if (url === undefined) return { logs: `Opened a page${named}` };
    return { logs: `${await openAddress(url, { waitUntil }, { ...scene, page })}${named}` };
  },

  switchPage({ name }, { pages, page }) {
    ensureOpen(page);
    pages.enter(page);
    if (name !== undefined) pages.name(page, name);
    return Promise.resolve({ logs: `Went on in ${page.url()}${name === undefined ? '' : ` as "${name}"`}` });
  },

  async closePage(_, { pages, page, ensureMayAct, budget }) {
    ensureOpen(page);
    const url = page.url();
    ensureMayAct();
    await budget.spend(pages.close(page));
    const next = pages.current();
    return { logs: next.isClosed() ? `Closed ${url}, the last page` : `Closed ${url}; in ${next.url()} now` };
  },

  async frame({ to = 'child', frame = [] }, scene) {
    const { page, pages } = scene;
    ensureOpen(page);
    const way = [frame].flat();
    const spot = await spotFor(to, way, scene);
    pages.enterFrame(page, spot);
    return {
      logs: spot === null ? 'Went on in the page itself' : `Went on in the frame ${spot.way.join(' > ')}`,
    };
  },

  async network(data, { emulation, budget, ensureMayAct }) {
    const { offline = false, latencyMs = 0 } = data;
    const { downloadBytesPerSecond = -1, uploadBytesPerSecond = -1 } = data;
    ensureMayAct();
    await budget.spend(
      emulation.setNetwork({ offline, latencyMs, downloadBytesPerSecond, uploadBytesPerSecond }),
    );
    if (offline) return { logs: 'Network off' };
    const limits = [
      ...(downloadBytesPerSecond === -1 ? [] : [`${downloadBytesPerSecond} bytes/s down`]),
      ...(uploadBytesPerSecond === -1 ? [] : [`${uploadBytesPerSecond} bytes/s up`]),
      ...(latencyMs === 0 ? [] : [`${latencyMs} ms latency`]),
    ];
    return { logs: limits.length === 0 ? 'Network as it was' : `Network of ${limits.join(', ')}` };
  },
};

/** Where `frame` nodes lead from where the flow is. Throws when there is no such frame. */
async function spotFor(
  to: 'main' | 'parent' | 'child',
  way: readonly (number | string)[],
  scene: Scene,
): Promise<FrameSpot | null> {
  const { page, pages } = scene;
  const here = pages.spotIn(page);
  const start = to === 'child' ? (here?.way ?? []) : to === 'parent' ? (here?.way ?? []).slice(0, -1) : [];
  const whole = [...start, ...way];
  if (whole.length === 0) return null;
  // A frame that is there still is the one that was gone into, whatever its selector would find by now.
  const isHere = to === 'child' && here !== null && !here.frame.isDetached();
  const frame = isHere
    ? await findFrame(here.frame, way, scene)
    : await findFrame(page.mainFrame(), whole, scene);
  return { frame, way: whole };
}

/** One page back or forward in the history. */
async function through(
  direction: 'back' | 'forward',
  scene: Scene,
  go: (options: { timeout: number; signal: AbortSignal }) => Promise<Response | null>,
): Promise<ActionDone> {
  const { page } = scene;
  const isMoved = watchMove(page);
  try {
    const response = await loadAddress(`the page ${direction === 'back' ? 'before' : 'after'}`, scene, go);
    if (response === null && !isMoved()) {
      throw new StepFailure('navigation', `there is no page to go ${direction} to`);
    }
    return { logs: `Went ${direction} to ${page.url()}` };
  } finally {
    isMoved.stop();
  }
}

/** True once the page came to another address or document, its history included. */
function watchMove(page: Page): (() => boolean) & { stop(): void } {
  let moved = false;
  const onMove = (frame: unknown): void => {
    if (frame === page.mainFrame()) moved = true;
  };
  page.on('framenavigated', onMove);
  return Object.assign(() => moved, { stop: () => void page.off('framenavigated', onMove) });
}

function ensureOpen(page: Page): void {
  if (page.isClosed()) throw new StepFailure('navigation', 'no page is open any more');
}
