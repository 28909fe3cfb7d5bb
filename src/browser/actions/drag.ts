import type { ElementHandle } from 'playwright-core';
import type { DataOf } from '../../flow/node-types/node-types.ts';
import { candidatesOf } from '../../flow/step.ts';
import { type Found, locate } from '../locating/locate.ts';
import { StepFailure } from '../step/step-error.ts';
import { timeBudget } from '../step/time-budget.ts';
import { actOnElement } from './act-on-element.ts';
import { pointInWindow, withMouse } from './mouse.ts';
import type { Point } from './point-at.ts';
import type { Scene } from './scene.ts';

/**
 * Drags an element to another, or by pixels, with the mouse: button down, a first short way, the way there in small steps, and
 * up, which both pages that listen to the mouse and the browser's own dragging take for a drag. What was found, and where to.
 */
export async function drag(data: DataOf<'drag'>, scene: Scene): Promise<{ found: Found; to: string }> {
  const { by } = data;
  let to = by === undefined ? '' : `by ${by.x}, ${by.y}`;
  // A page that is rearranged by the dragging would lead the selector to another element.
  const goal = by === undefined ? await goalNow(data, scene) : null;
  const found = await actOnElement(
    { candidates: candidatesOf(data), need: 'shown', was: 'dragged', takesMs: scene.budget.timeoutMs },
    scene,
    async (locator, options, { begin }) => {
      // Waits until the element stands still and can be got hold of.
      await locator.hover({ ...options, timeout: Math.min(options.timeout, 3_000), trial: true });
      const from = await pointInWindow(locator, data.position, options);
      await withMouse((mouse) => mouse.move(from.x, from.y), scene);
      begin();
      await withMouse((mouse) => mouse.down(), scene);
      try {
        if (by !== undefined) {
          await travel(from, { x: from.x + by.x, y: from.y + by.y }, scene);
          return;
        }
        await nudge(from, scene);
        const isThere = goal !== null && (await goal.element.evaluate((each) => each.isConnected));
        const there = isThere ? goal : await holdGoal(data, scene);
        to = `to ${there.label}`;
        await travelTo(there.element, from, data.toPosition, scene);
      } finally {
        await scene.page.mouse.up();
      }
    },
  );
  return { found, to };
}

/** Where it goes, held fast. */
interface Goal {
  element: ElementHandle;
  label: string;
}

/** Null where there is none yet: some pages show where to drop only once something is dragged. */
async function goalNow(data: DataOf<'drag'>, scene: Scene): Promise<Goal | null> {
  const { budget, clock, halt } = scene;
  const soon = timeBudget(Math.min(1_000, budget.remainingMs() / 4), clock, halt);
  try {
    return await holdGoal(data, { ...scene, budget: soon });
  } catch (error) {
    if (error instanceof StepFailure && ['not_found', 'not_actionable'].includes(error.kind)) return null;
    throw error;
  }
}

async function holdGoal({ toSelector, toSelectors }: DataOf<'drag'>, scene: Scene): Promise<Goal> {
  const { locator, label } = await locate(
    { candidates: candidatesOf({ selector: toSelector, selectors: toSelectors }), need: 'shown' },
    scene,
  );
  const timeout = Math.max(1, scene.budget.remainingMs());
  return { element: await locator.elementHandle({ timeout, signal: scene.halt }), label };
}

/** So far that dragging begins, whatever way the page asks for first. */
async function nudge(from: Point, scene: Scene): Promise<void> {
  await withMouse((mouse) => mouse.move(from.x + 6, from.y + 6, { steps: 3 }), scene);
}

async function travel(from: Point, to: Point, scene: Scene): Promise<void> {
  await nudge(from, scene);
  await withMouse((mouse) => mouse.move(to.x, to.y, { steps: 12 }), scene);
  // What is dragged over hears of it a second time, which some pages wait for.
  await withMouse((mouse) => mouse.move(to.x, to.y), scene);
}

/** To where it is by then: things make room for what is dragged over them. */
async function travelTo(
  element: ElementHandle,
  from: Point,
  position: Point | undefined,
  scene: Scene,
): Promise<void> {
  let last = from;
  for (let tries = 0; tries < 4; tries += 1) {
    const timeout = Math.max(1, scene.budget.remainingMs());
    const to = await pointInWindow(element, position, { timeout, signal: scene.halt });
    const isThere = tries > 0 && Math.hypot(to.x - last.x, to.y - last.y) < 2;
    await withMouse((mouse) => mouse.move(to.x, to.y, { steps: isThere ? 1 : 12 }), scene);
    if (isThere) return;
    last = to;
  }
}
