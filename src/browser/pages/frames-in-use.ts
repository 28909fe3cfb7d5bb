import type { Frame, Page } from 'playwright-core';

/** The frame of a page that a flow has gone into, and the way to it from the page: places among frames, or selectors. */
export interface FrameSpot {
  frame: Frame;
  way: readonly (number | string)[];
}

/** Keeps for each page which of its frames the flow is in, until the page shows another document. */
export function framesInUse() {
  const spots = new Map<Page, FrameSpot>();
  return {
    watch(page: Page): void {
      page.on('framenavigated', (frame) => {
        // Another document takes all frames with it; an address that changes within the document leaves them where they are.
        if (frame === page.mainFrame() && spots.get(page)?.frame.isDetached() === true) spots.delete(page);
      });
      page.on('close', () => spots.delete(page));
    },
    spotIn: (page: Page): FrameSpot | null => spots.get(page) ?? null,
    enter(page: Page, spot: FrameSpot | null): void {
      if (spot === null) spots.delete(page);
      else spots.set(page, spot);
    },
  };
}
