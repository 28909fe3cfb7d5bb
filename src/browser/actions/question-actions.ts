import { candidatesOf } from '../../flow/step.ts';
import { duration } from '../../lib/duration.ts';
import { locate } from '../locating/locate.ts';
import { type Action, done, notBuilt } from './scene.ts';

/** Waiting for the page, judging it, and reading from it. */
export const questionActions: {
  readonly [Type in 'wait' | 'waitFor' | 'assertion' | 'extract']: Action<Type>;
} = {
  async wait({ ms }, { clock, halt }) {
    await clock.sleep(ms, halt);
    return { logs: `Waited ${duration(ms)}` };
  },

  async assertion(data, scene) {
    const expected = foldWhiteSpace(data.value ?? '');
    const found = await locate({ candidates: candidatesOf(data), need: 'present', expected }, scene);
    return done(`${found.label} has the text "${expected}"`, found);
  },

  async extract(data, scene) {
    const found = await locate({ candidates: candidatesOf(data), need: 'present', readsText: true }, scene);
    return {
      ...done(`Saved the text of ${found.label} in ${data.variable}`, found),
      extracted: { variable: data.variable, value: found.text },
    };
  },
  waitFor: notBuilt('waitFor'),
};

// The page folds the text of the element in the same way (look-in-page.ts).
function foldWhiteSpace(text: string): string {
  return text.replaceAll('\u200b', '').trim().replace(/\s+/g, ' ');
}
