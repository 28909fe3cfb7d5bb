import { type Action, notBuilt } from './scene.ts';

/** Acting with the keyboard. */
export const keyboardActions: { readonly [Type in 'press' | 'keyDown' | 'keyUp' | 'focus']: Action<Type> } = {
  press: notBuilt('press'),
  keyDown: notBuilt('keyDown'),
  keyUp: notBuilt('keyUp'),
  focus: notBuilt('focus'),
};
