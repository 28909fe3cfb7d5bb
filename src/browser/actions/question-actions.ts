import { candidatesOf } from '../../flow/step.ts';
import { duration } from '../../lib/duration.ts';
import { ask } from './ask.ts';
import { extractSubject } from './extract-subject.ts';
import { type Action, done } from './scene.ts';
import { statement, subjectName } from './tell-answer.ts';
import { waitForAll } from './wait-for.ts';

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

  async waitFor(data, scene) {
    const found = await waitForAll(data, scene);
    if (found !== null) return done(`Waited for ${found.label}`, found);
    const [about = 'the page'] = candidatesOf(data);
    return { logs: `Waited for ${about}` };
  },

  async extract(data, scene) {
    const { value, found } = await extractSubject(data, scene);
    const name = data.subject === 'table' ? 'the table' : subjectName({ ...data, subject: data.subject });
    const sentence = `Saved ${name}${found === undefined ? '' : ` of ${found.label}`} in ${data.variable}`;
    return {
      ...(found === undefined ? { logs: sentence } : done(sentence, found)),
      extracted: { variable: data.variable, value },
    };
  },
};
