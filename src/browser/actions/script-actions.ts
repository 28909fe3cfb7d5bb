import { textOfValue } from '../../flow/run-variables.ts';
import { duration } from '../../lib/duration.ts';
import { cut, StepFailure } from '../step/step-error.ts';
import { lookAgain } from './look-again.ts';
import { evaluatedValue, evaluateInPage, runInPage } from './page-expression.ts';
import type { Action } from './scene.ts';

/** What a flow computes. Its JavaScript runs in the page, never in the runner. */
export const scriptActions: { readonly [Type in 'setVariable' | 'evaluate']: Action<Type> } = {
  async setVariable({ variable, value = '', expression }, scene) {
    const given =
      expression === undefined
        ? value
        : evaluatedValue(
            await lookAgain(
              () => scene.budget.spend(evaluateInPage(expression, scene, { needsValue: true })),
              scene,
            ),
            'the expression',
          );
    return {
      logs: `Set ${variable} to "${cut(textOfValue(given), 300)}"`,
      extracted: { variable, value: given },
    };
  },

  async evaluate({ script, variable, callback: isCallback = false }, scene) {
    const { budget, ensureMayAct } = scene;
    ensureMayAct();
    const needsValue = variable !== undefined;
    const ran = await budget.spend(runInPage(script, scene, { isCallback, needsValue }));
    const within = `within ${duration(budget.timeoutMs)}`;
    if (ran === null) {
      const what = isCallback ? 'its callback was not called' : 'it did not come to its end';
      throw new StepFailure('timeout', `the script was started, but ${what} ${within}`);
    }
    if (ran === 'again') {
      if (!needsValue) return { logs: 'Ran the script, which led to another page' };
      throw new StepFailure('navigation', 'the script led to another page before it gave a value');
    }
    const value = evaluatedValue(ran, 'the script');
    if (variable === undefined) return { logs: 'Ran the script' };
    return {
      logs: `Ran the script and saved "${cut(textOfValue(value), 300)}" in ${variable}`,
      extracted: { variable, value },
    };
  },
};
