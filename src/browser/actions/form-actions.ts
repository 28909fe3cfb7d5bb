import { candidatesOf } from '../../flow/step.ts';
import { StepFailure } from '../step/step-error.ts';
import { actOnElement } from './act-on-element.ts';
import { chooseOptions } from './choose-options.ts';
import { oneTimeCode } from './one-time-code.ts';
import { type Action, done } from './scene.ts';
import { setChecked } from './set-checked.ts';
import { submitForm } from './submit-form.ts';
import { typeSecret } from './type-secret.ts';
import { putHtml, putValue, typeKeys } from './type-text.ts';
import { filesOf, giveFiles } from './upload-files.ts';

/** Filling in forms. */
export const formActions: {
  readonly [Type in 'type' | 'select' | 'check' | 'submit' | 'upload' | 'totp']: Action<Type>;
} = {
  async type(data, scene) {
    const { value, how = 'replace', delayMs = 0 } = data;
    const { secrets } = scene;
    if (secrets !== undefined && (how === 'append' || how === 'html')) {
      const names = secrets.used.map(({ name }) => name).join(', ');
      throw new StepFailure(
        'blocked',
        `the secret ${names} is typed as the whole text of a field, not as ${how}`,
      );
    }
    const found = await actOnElement(
      { candidates: candidatesOf(data), need: 'writable', was: 'typed into' },
      scene,
      (locator, options, attempt) => {
        // Keys go wherever the keyboard is by then: a secret goes to its field only.
        if (secrets !== undefined) return typeSecret(locator, value, options, secrets);
        if (how === 'html') return putHtml(locator, value, options, attempt);
        if (how === 'replace') return putValue(locator, value, options, attempt, scene);
        return typeKeys(locator, { value, how, delayMs }, options, attempt, scene);
      },
    );
    return done(value === '' ? `Emptied ${found.label}` : `Typed into ${found.label}`, found);
  },

  async select(data, scene) {
    const { by = 'any', how = 'set', value, values } = data;
    const wanted = values ?? (value === undefined ? [] : [value]);
    let labels: string[] = [];
    const found = await actOnElement(
      { candidates: candidatesOf(data), need: 'writable', was: 'chosen from' },
      scene,
      async (locator, options, attempt) => {
        labels = await chooseOptions(locator, { values: wanted, by, how }, options, attempt);
      },
    );
    const verb = { set: 'Chose', add: 'Chose besides', remove: 'Took away' }[how];
    const what = labels.length === 0 ? 'nothing' : `"${labels.join('", "')}"`;
    return done(`${verb} ${what} in ${found.label}`, found);
  },

  async check(data, scene) {
    const { checked = true } = data;
    let isClicked = false;
    const found = await actOnElement(
      { candidates: candidatesOf(data), need: 'checkable', was: 'clicked' },
      scene,
      async (locator, options, attempt) => {
        isClicked = await setChecked(locator, checked, options, attempt, scene);
      },
    );
    const how = checked ? 'checked' : 'unchecked';
    return done(isClicked ? `${found.label} is ${how} now` : `${found.label} was ${how} already`, found);
  },

  async submit(data, scene) {
    const found = await actOnElement(
      { candidates: candidatesOf(data), need: 'present', was: 'submitted' },
      scene,
      submitForm,
    );
    return done(`Submitted the form of ${found.label}`, found);
  },

  async upload(data, scene) {
    const files = await filesOf(data.files, scene.files);
    const found = await actOnElement(
      { candidates: candidatesOf(data), need: 'present', was: 'given files' },
      scene,
      (locator, options, attempt) => giveFiles(locator, files, options, attempt),
    );
    const what = files.length === 1 ? 'a file' : `${files.length} files`;
    return done(
      files.length === 0 ? `Took the files from ${found.label}` : `Gave ${what} to ${found.label}`,
      found,
    );
  },

  async totp(data, scene) {
    const { secrets } = scene;
    const secret = secrets?.used.find(({ name }) => name === data.secret);
    if (secrets === undefined || secret === undefined) {
      throw new StepFailure(
        'invalid_data',
        `secret: this machine has no secret named ${data.secret} (--secrets)`,
      );
    }
    const found = await actOnElement(
      { candidates: candidatesOf(data), need: 'writable', was: 'typed into' },
      scene,
      // Made anew for each attempt: the moment of the code passes.
      async (locator, options) =>
        typeSecret(locator, await oneTimeCode(secret.value.reveal(), data, scene), options, secrets),
    );
    return done(`Typed the one-time code of ${data.secret} into ${found.label}`, found);
  },
};
