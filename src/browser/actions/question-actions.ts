import { candidatesOf } from '../../flow/step.ts';
import { duration } from '../../lib/duration.ts';
import { locate } from '../locating/locate.ts';
import { ask } from './ask.ts';
import { type Action, done, notBuilt } from './scene.ts';
import { statement } from './tell-answer.ts';

/** Waiting for the page, judging it, and reading from it. */
export const questionActions: {
  readonly [Type in 'wait' | 'waitFor' | 'assertion' | 'extract']: Action<Type>;
} = {
  async wait({ ms }, { clock, halt }) {
    await clock.sleep(ms, halt);
    return { logs: `Waited ${duration(ms)}` };
  },

  async assertion(data, scene) {
    const answer = await ask(data, scene, { waitMs: scene.budget.remainingMs() });
    if (answer.failure !== undefined) throw answer.failure;
    const sentence = statement(data, answer.found?.label ?? null);
    return answer.found === undefined ? { logs: sentence } : done(sentence, answer.found);
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
