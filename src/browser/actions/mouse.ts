import type { ElementHandle, Locator, Page } from 'playwright-core';
import { duration } from '../../lib/duration.ts';
import { StepFailure } from '../step/step-error.ts';
import { type ActOptions, NotYet } from './act-on-element.ts';
import type { Point } from './point-at.ts';
import type { Scene } from './scene.ts';

/** Where the point of an element is in the window, the element scrolled into it; its middle where no point is named, or one outside. */
export async function pointInWindow(
  element: Locator | ElementHandle,
  position: Point | undefined,
  options: ActOptions,
): Promise<Point> {
  await element.scrollIntoViewIfNeeded(options);
  const box = await element.boundingBox(options);
  if (box === null || box.width === 0 || box.height === 0) throw new NotYet('it is hidden');
  const { x, y, width, height } = box;
  const isInside =
    position !== undefined &&
    position.x >= 0 &&
    position.y >= 0 &&
    position.x <= width &&
    position.y <= height;
  return isInside ? { x: x + position.x, y: y + position.y } : { x: x + width / 2, y: y + height / 2 };
}

/** A point of the window that is not in the element, as near as there is one. */
export async function pointBeside(element: Locator, options: ActOptions): Promise<Point> {
  const box = await element.boundingBox(options);
  if (box === null) throw new NotYet('it is hidden');
  const { innerWidth, innerHeight } = await element
    .page()
    .evaluate(() => ({ innerWidth: window.innerWidth, innerHeight: window.innerHeight }));
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const around: Point[] = [
    { x: middle.x, y: box.y - margin },
    { x: box.x + box.width + margin, y: middle.y },
    { x: middle.x, y: box.y + box.height + margin },
    { x: box.x - margin, y: middle.y },
  ];
  const isInWindow = ({ x, y }: Point): boolean => x >= 0 && y >= 0 && x < innerWidth && y < innerHeight;
  // Beyond the edge of the window there is nothing.
  return around.find(isInWindow) ?? { x: -1, y: -1 };
}

const margin = 4;

/** One act of the mouse, within the step's time. */
export async function withMouse(
  act: (mouse: Page['mouse']) => Promise<void>,
  { page, budget, halt }: Scene,
): Promise<void> {
  halt.throwIfAborted();
  if ((await budget.spend(act(page.mouse).then(() => true))) !== null) return;
  throw new StepFailure(
    'timeout',
    `the page did not answer to the mouse within ${duration(budget.timeoutMs)}`,
  );
}

/** A button of the mouse as flows call it. */
export type MouseButton = 'left' | 'right' | 'middle' | 'back' | 'forward';

/** Presses or releases a button at a point. Playwright's mouse has three; those at the side are pressed as Chromium is told of them. */
export async function turnButton(
  way: 'down' | 'up',
  button: MouseButton,
  { x, y }: Point,
  scene: Scene,
): Promise<void> {
  if (button !== 'back' && button !== 'forward') {
    return withMouse((mouse) => mouse[way]({ button }), scene);
  }
  const session = await scene.page.context().newCDPSession(scene.page);
  try {
    const type = way === 'down' ? 'mousePressed' : 'mouseReleased';
    const turned = session.send('Input.dispatchMouseEvent', { type, x, y, button, clickCount: 1 });
    await withMouse(() => turned.then(() => {}), scene);
  } finally {
    session.detach().catch(() => {});
  }
}
