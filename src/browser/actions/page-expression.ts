import { cut, isBetweenDocuments, plainMessage, StepFailure } from '../step/step-error.ts';
import type { Scene } from './scene.ts';

/** What an expression gave: its value as JSON has it, or what it threw. */
export type Evaluated = { json: string | null; isTrue: boolean } | { threw: string };

/** How an expression is looked at again and again. */
export interface ExpressionLook {
  /** The last answer as JSON; null for an answer at once. */
  known: Evaluated | null;
  waitMs: number;
}

/**
 * What an expression gives in the page now, or as soon as that is something else than what is known; a promise is waited for.
 * `again` when the page was just being replaced. Throws StepFailure `invalid_data` where it is no JavaScript.
 */
export async function evaluateInPage(
  expression: string,
  { frame, variables }: Pick<Scene, 'frame' | 'variables'>,
  { known, waitMs }: ExpressionLook,
): Promise<Evaluated | 'again'> {
  const written = expression.trim().replace(/[;\s]+$/, '');
  const question = `async (variables) => (\n${written}\n)`;
  // As source text: pages may forbid their own scripts to make functions out of texts.
  const source = `async ({ variables, known, waitMs }) => {
    const give = ${question};
    const startedAt = performance.now();
    for (;;) {
      let answer;
      try {
        const value = await give(variables);
        let json = null;
        try { json = JSON.stringify(value) ?? null; } catch (error) { json = null; answer = { threw: 'its value is nothing that JSON can hold: ' + error.message }; }
        answer = answer ?? { json, isTrue: Boolean(value) };
      } catch (error) {
        answer = { threw: String(error) };
      }
      if (JSON.stringify(answer) !== known || performance.now() - startedAt >= waitMs) return answer;
      await new Promise((resolve) => { requestAnimationFrame(() => resolve()); setTimeout(resolve, 50); });
    }
  }`;
  const given = { variables: variables.values(), known: known === null ? '' : JSON.stringify(known), waitMs };
  try {
    return await frame.evaluate<Evaluated, typeof given>(source, given);
  } catch (error) {
    if (isBetweenDocuments(error)) return 'again';
    const message = plainMessage(error);
    if (/^SyntaxError/.test(message)) {
      throw new StepFailure(
        'invalid_data',
        `expression: is no JavaScript (${cut(message.split('\n')[0] ?? '', 300)})`,
      );
    }
    throw error;
  }
}
