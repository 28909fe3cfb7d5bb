import { candidatesOf } from '../../flow/step.ts';
import { actOnElement } from './act-on-element.ts';
import { type Action, done, notBuilt } from './scene.ts';
import { typeSecret } from './type-secret.ts';

/** Filling in forms. */
export const formActions: {
  readonly [Type in 'type' | 'select' | 'check' | 'submit' | 'upload' | 'totp']: Action<Type>;
} = {
  async type(data, scene) {
    const found = await actOnElement(
      { candidates: candidatesOf(data), need: 'writable' },
      scene,
      (locator, options) =>
        scene.secrets === undefined
          ? locator.fill(data.value, options)
          : typeSecret(locator, data.value, options, scene.secrets),
    );
    return done(data.value === '' ? `Emptied ${found.label}` : `Typed into ${found.label}`, found);
  },
  select: notBuilt('select'),
  check: notBuilt('check'),
  submit: notBuilt('submit'),
  upload: notBuilt('upload'),
  totp: notBuilt('totp'),
};
