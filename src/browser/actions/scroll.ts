import type { Locator } from 'playwright-core';
import type { ActOptions } from './act-on-element.ts';
import type { Scene } from './scene.ts';

/** Where to: a place in pixels, or an end. */
export interface ScrollTo {
  x?: number | undefined;
  y?: number | undefined;
  to?: 'top' | 'bottom' | undefined;
}

/** Where it is scrolled to now, and whether that is where it was to go. */
export interface Scrolled {
  x: number;
  y: number;
  isThere: boolean;
}

/** Scrolls the page of the step's frame. A page that grows as it is scrolled gets a moment to. */
export function scrollPage(to: ScrollTo, { frame, budget }: Scene): Promise<Scrolled> {
  const root = frame.locator(':root');
  return root.evaluate(scrollInPage, { ...to, isPage: true, mostMs: budget.remainingMs() / 2 });
}

/** Scrolls what is in an element. */
export function scrollElement(locator: Locator, to: ScrollTo, options: ActOptions): Promise<Scrolled> {
  return locator.evaluate(scrollInPage, { ...to, isPage: false, mostMs: options.timeout / 2 }, options);
}

/**
 * Runs IN THE PAGE, sent as source text: it must not use anything from outside itself. Lists that load more when their end is
 * seen are waited for as long as they grow, up to `mostMs`.
 */
async function scrollInPage(
  given: Element,
  { x, y, to, isPage, mostMs }: ScrollTo & { isPage: boolean; mostMs: number },
): Promise<Scrolled> {
  const isRoot = isPage || given === document.body || given === document.documentElement;
  const scroller = isRoot ? (document.scrollingElement ?? document.documentElement) : given;
  const quietMs = 250;

  const goal = () => ({
    left: x ?? scroller.scrollLeft,
    top: to === 'top' ? 0 : to === 'bottom' ? scroller.scrollHeight : (y ?? scroller.scrollTop),
  });
  const startedAt = performance.now();
  let size = -1;
  let grownAt = startedAt;
  for (;;) {
    const { left, top } = goal();
    scroller.scrollTo({ left, top, behavior: 'instant' });
    const isThere =
      Math.abs(scroller.scrollLeft - left) < 2 &&
      (to === 'bottom'
        ? scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 2
        : Math.abs(scroller.scrollTop - top) < 2);
    const now = performance.now();
    if (scroller.scrollHeight !== size) {
      size = scroller.scrollHeight;
      grownAt = now;
    }
    const isQuiet = now - grownAt >= quietMs || now - startedAt >= mostMs;
    await new Promise<void>((resolve) => {
      requestAnimationFrame(() => resolve());
      setTimeout(resolve, 50);
    });
    if ((isThere && to !== 'bottom') || isQuiet) {
      return { x: Math.round(scroller.scrollLeft), y: Math.round(scroller.scrollTop), isThere };
    }
  }
}
