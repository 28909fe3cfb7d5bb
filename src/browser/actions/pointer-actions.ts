import { candidatesOf, hasTarget } from '../../flow/step.ts';
import { actOnElement } from './act-on-element.ts';
import { chooseOption } from './choose-options.ts';
import { drag } from './drag.ts';
import { pointBeside, pointInWindow, turnButton, withMouse } from './mouse.ts';
import { type Point, pointAt } from './point-at.ts';
import { type Action, done } from './scene.ts';
import { type Scrolled, scrollElement, scrollPage } from './scroll.ts';

/** Acting with the mouse. */
export const pointerActions: {
  readonly [Type in 'click' | 'hover' | 'drag' | 'mouse' | 'scroll']: Action<Type>;
} = {
  async click(data, scene) {
    const { button = 'left', count = 1, position, modifiers, delayMs = 0 } = data;
    const { budget } = scene;
    const waitMs = Math.min(throughAfterMs, budget.timeoutMs / 2);
    let cover: string | null = null;
    const found = await actOnElement(
      { candidates: candidatesOf(data), need: 'clickable', was: 'clicked', takesMs: count * delayMs },
      scene,
      async (locator, options, attempt) => {
        const { found, begin } = attempt;
        if (found.isOption === true) return chooseOption(locator, options, attempt);
        if (button === 'back' || button === 'forward') {
          await locator.hover({ ...options, trial: true });
          const point = await pointInWindow(locator, position, options);
          begin();
          await withMouse((mouse) => mouse.move(point.x, point.y), scene);
          await turnButton('down', button, point, scene);
          return turnButton('up', button, point, scene);
        }
        cover = await pointAt(
          locator,
          {
            position,
            isCovered: found.state === 'covered',
            budget,
            mayGoThrough: () => position !== undefined && budget.timeoutMs - budget.remainingMs() >= waitMs,
            act: (where) =>
              locator.click({
                ...where,
                button,
                clickCount: count,
                ...(delayMs === 0 ? {} : { delay: delayMs }),
                ...(modifiers === undefined ? {} : { modifiers }),
              }),
          },
          options,
        );
      },
    );
    return done(`${clicked(button, count)} ${found.label}${throughText(cover)}`, found);
  },

  async hover(data, scene) {
    const { position, modifiers } = data;
    let cover: string | null = null;
    const found = await actOnElement(
      { candidates: candidatesOf(data), need: 'shown', was: 'hovered over' },
      scene,
      async (locator, options) => {
        cover = await pointAt(
          locator,
          {
            position,
            isCovered: false,
            budget: scene.budget,
            // Whoever only moves the mouse there meets what is there.
            mayGoThrough: () => true,
            act: (where) =>
              locator.hover({
                ...where,
                timeout: Math.min(where.timeout, hoverMs),
                ...(modifiers === undefined ? {} : { modifiers }),
              }),
          },
          options,
        );
      },
    );
    return done(`Moved the mouse over ${found.label}${throughText(cover)}`, found);
  },

  async drag(data, scene) {
    const { found, to } = await drag(data, scene);
    return done(`Dragged ${found.label} ${to}`, found);
  },

  async mouse(data, scene) {
    const { action, button = 'left', position } = data;
    const sentence = mouseSentences[action];
    const act = async (at: Point): Promise<void> => {
      if (action === 'down' || action === 'up') await turnButton(action, button, at, scene);
    };
    if (!hasTarget(data)) {
      scene.ensureMayAct();
      if (position !== undefined) await withMouse((mouse) => mouse.move(position.x, position.y), scene);
      await act(position ?? { x: 0, y: 0 });
      return { logs: `${sentence}${position === undefined ? '' : ` at ${position.x}, ${position.y}`}` };
    }
    const found = await actOnElement(
      { candidates: candidatesOf(data), need: 'shown', was: 'pointed at' },
      scene,
      async (locator, options, { begin }) => {
        const point =
          action === 'out'
            ? await pointBeside(locator, options)
            : await pointInWindow(locator, position, options);
        begin();
        await withMouse((mouse) => mouse.move(point.x, point.y), scene);
        await act(point);
      },
    );
    return done(`${sentence} ${action === 'out' ? 'of' : 'at'} ${found.label}`, found);
  },

  async scroll(data, scene) {
    const { x, y, to } = data;
    const isInto = x === undefined && y === undefined && to === undefined;
    if (!hasTarget(data)) {
      scene.ensureMayAct();
      return { logs: `Scrolled the page ${placeText(await scrollPage({ x, y, to }, scene))}` };
    }
    let scrolled: Scrolled | null = null;
    const found = await actOnElement(
      { candidates: candidatesOf(data), need: 'shown', was: 'scrolled' },
      scene,
      async (locator, options) => {
        if (isInto) return locator.scrollIntoViewIfNeeded(options);
        // In what is hidden nothing moves.
        await locator.waitFor({ ...options, state: 'visible' });
        scrolled = await scrollElement(locator, { x, y, to }, options);
      },
    );
    const sentence =
      scrolled === null ? `Scrolled to ${found.label}` : `Scrolled ${found.label} ${placeText(scrolled)}`;
    return done(sentence, found);
  },
};

const mouseSentences = {
  move: 'Moved the mouse',
  down: 'Pressed the mouse button',
  up: 'Let go of the mouse button',
  out: 'Moved the mouse out',
};

/** So long a cover has to go away before a click at a point goes to it; half of the step's time where that is less. */
const throughAfterMs = 3_000;
/** The same for a mouse that only moves. */
const hoverMs = 1_000;

function clicked(button: string, count: number): string {
  const times = count === 1 ? '' : count === 2 ? 'Double' : `${count} times `;
  const verb = button === 'left' ? 'clicked' : `clicked the ${button} button on`;
  const text = `${times}${times === 'Double' ? '-' : ''}${verb}`;
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function throughText(cover: string | null): string {
  return cover === null ? '' : `, at a point that ${cover} covers`;
}

function placeText({ x, y, isThere }: Scrolled): string {
  return `to ${x}, ${y}${isThere ? '' : ', as far as it goes'}`;
}
