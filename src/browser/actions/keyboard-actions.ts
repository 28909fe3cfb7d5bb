import { candidatesOf, hasTarget } from '../../flow/step.ts';
import { duration } from '../../lib/duration.ts';
import { StepFailure } from '../step/step-error.ts';
import { actOnElement } from './act-on-element.ts';
import { chordOf, keyNamed } from './key-names.ts';
import { type Action, done, type Scene } from './scene.ts';
import { takeFocus } from './take-focus.ts';
import { untilItHadItsEffect, watchNavigation } from './watch-navigation.ts';

/** Acting with the keyboard. */
export const keyboardActions: { readonly [Type in 'press' | 'keyDown' | 'keyUp' | 'focus']: Action<Type> } = {
  async press(data, scene) {
    const chord = chordOf(data.key);
    const { count = 1, delayMs = 0 } = data;
    const times = count === 1 ? '' : ` ${count} times`;
    if (!hasTarget(data)) {
      await atTheKeyboard(data.key, scene, () => pressChord(chord, { count, delayMs }, scene));
      return { logs: `Pressed ${data.key}${times}` };
    }
    const found = await actOnElement(
      { candidates: candidatesOf(data), need: 'shown', was: 'given the key' },
      scene,
      async (locator, options, { begin }) => {
        await takeFocus(locator, 'stay', options);
        begin();
        await pressChord(chord, { count, delayMs }, scene);
      },
    );
    return done(`Pressed ${data.key}${times} in ${found.label}`, found);
  },

  async keyDown({ key }, scene) {
    const name = keyNamed(key);
    await atTheKeyboard(key, scene, () => scene.page.keyboard.down(name));
    return { logs: `Holding ${key} down` };
  },

  async keyUp({ key }, scene) {
    const name = keyNamed(key);
    await atTheKeyboard(key, scene, () => scene.page.keyboard.up(name));
    return { logs: `Let go of ${key}` };
  },

  async focus(data, scene) {
    const leaves = data.leave === true;
    const found = await actOnElement(
      { candidates: candidatesOf(data), need: 'shown', was: leaves ? 'left' : 'focused' },
      scene,
      (locator, options) =>
        leaves ? locator.evaluate(leaveInPage, undefined, options) : takeFocus(locator, 'stay', options),
    );
    return done(`${leaves ? 'Took the keyboard from' : 'Put the keyboard on'} ${found.label}`, found);
  },
};

/** Something done with the keys where the keyboard is, and what comes of it. */
async function atTheKeyboard(key: string, scene: Scene, act: () => Promise<void>): Promise<void> {
  const navigation = watchNavigation(scene);
  try {
    scene.ensureMayAct();
    await inTime(act(), key, scene);
    await untilItHadItsEffect(navigation, { label: key, was: 'pressed' }, scene);
  } catch (error) {
    if (!scene.page.isClosed() || scene.halt.aborted) throw error;
  } finally {
    navigation.stop();
  }
}

/** Presses all keys of a chord and lets go of them in the other order, `count` times. */
async function pressChord(
  chord: readonly string[],
  { count, delayMs }: { count: number; delayMs: number },
  scene: Scene,
): Promise<void> {
  const { keyboard } = scene.page;
  const [key = ''] = chord;
  // Playwright splits at + itself, and knows ++ as the key.
  const press =
    chord.length === 1 && isOnNoKeyboard(key)
      ? () => keyboard.insertText(key)
      : () => keyboard.press(chord.join('+'), { delay: delayMs });
  for (let pressed = 0; pressed < count; pressed += 1) {
    if (pressed > 0) scene.ensureMayAct();
    await inTime(press(), chord.join('+'), scene);
  }
}

/** Letters that Playwright's keyboard, an American one, has no key for. */
function isOnNoKeyboard(key: string): boolean {
  return [...key].length === 1 && !/^[\x20-\x7e]$/.test(key);
}

async function inTime(work: Promise<void>, key: string, { budget }: Scene): Promise<void> {
  if ((await budget.spend(work.then(() => true))) !== null) return;
  throw new StepFailure(
    'timeout',
    `${key} was pressed, and then the page did not answer within ${duration(budget.timeoutMs)}`,
  );
}

/** Runs IN THE PAGE, sent as source text: it must not use anything from outside itself. */
function leaveInPage(element: Element): void {
  let deepest = document.activeElement;
  let isIn = false;
  for (let active = deepest; active !== null; active = active.shadowRoot?.activeElement ?? null) {
    isIn ||= active === element || element.contains(active);
    deepest = active;
  }
  if (isIn && (deepest instanceof HTMLElement || deepest instanceof SVGElement)) deepest.blur();
}
