import { candidatesOf } from '../../flow/step.ts';
import { actOnElement } from './act-on-element.ts';
import { type Action, done, notBuilt } from './scene.ts';

/** Acting with the mouse. */
export const pointerActions: {
  readonly [Type in 'click' | 'hover' | 'drag' | 'mouse' | 'scroll']: Action<Type>;
} = {
  async click(data, scene) {
    const found = await actOnElement(
      { candidates: candidatesOf(data), need: 'clickable' },
      scene,
      (locator, options) => locator.click(options),
    );
    return done(`Clicked ${found.label}`, found);
  },
  hover: notBuilt('hover'),
  drag: notBuilt('drag'),
  mouse: notBuilt('mouse'),
  scroll: notBuilt('scroll'),
};
