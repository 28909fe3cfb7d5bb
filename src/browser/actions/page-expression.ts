import {
  answerAs,
  type Is,
  isText,
  isTruth,
  jsonOfPage,
  objectOf,
  oneOf,
  orNull,
} from '../step/page-answer.ts';
import { cut, FrameGoneFailure, isBetweenDocuments, plainMessage, StepFailure } from '../step/step-error.ts';
import type { Scene } from './scene.ts';

/** What an expression or a script gave: its value as JSON, null for nothing; or what it threw. */
export type Evaluated = { json: string | null; isTrue: boolean } | { threw: string };

type Here = Pick<Scene, 'frame' | 'variables' | 'secrets'>;

/**
 * What an expression gives in the page now, or as soon as that is something else than what is known; a promise is waited for.
 * Without `needsValue` it is only told whether it counts as true. `again` when the page was just being replaced.
 * Throws StepFailure `invalid_data` where it is no JavaScript.
 */
export async function evaluateInPage(
  expression: string,
  here: Here,
  {
    known = null,
    waitMs = 0,
    needsValue,
  }: { known?: Evaluated | null; waitMs?: number; needsValue: boolean },
): Promise<Evaluated | 'again'> {
  const written = expression.trim().replace(/[;\s]+$/, '');
  const source = `async (given) => {
    const give = async (variables) => (\n${written}\n);
    ${toldInPage}
    const startedAt = performance.now();
    for (;;) {
      const answer = await told(() => give(given.variables));
      if (JSON.stringify(answer) !== given.known || performance.now() - startedAt >= given.waitMs) return answer;
      await new Promise((resolve) => { requestAnimationFrame(() => resolve()); setTimeout(resolve, 50); });
    }
  }`;
  const asked = { known: known === null ? '' : JSON.stringify(known), waitMs, needsValue };
  const evaluated = await evaluateSource('expression', source, expression, here, asked);
  if (evaluated === 'again' && here.frame.isDetached()) throw new FrameGoneFailure();
  return evaluated;
}

/**
 * Runs the body of a function in the page, once. `callback` waits for the function that it gets as its last argument.
 * `again` when it led to another page before it gave anything.
 */
export async function runInPage(
  script: string,
  here: Here,
  { isCallback, needsValue }: { isCallback: boolean; needsValue: boolean },
): Promise<Evaluated | 'again'> {
  const source = `async (given) => {
    const run = async function (variables, callback) {\n${script}\n};
    ${toldInPage}
    return told(() => !given.isCallback ? run.call(globalThis, given.variables) : new Promise((resolve, reject) => {
      run.call(globalThis, given.variables, resolve).catch(reject);
    }));
  }`;
  return evaluateSource('script', source, script, here, { isCallback, needsValue });
}

/** Longest value that is taken, in characters of JSON. */
const mostCharacters = 1_000_000;

/** Runs IN THE PAGE: what a function gives, as an Evaluated. */
const toldInPage = `
    async function told(give) {
      try {
        const value = await give();
        const isTrue = Boolean(value);
        if (!given.needsValue) return { json: null, isTrue };
        if (value instanceof Node) return { threw: 'it gives an element, where a text or a value is needed' };
        try {
          const json = JSON.stringify(value) ?? null;
          if (json !== null && json.length > ${mostCharacters}) return { threw: 'it gives more than a million characters' };
          return { json, isTrue };
        } catch (error) {
          return { threw: 'it gives what JSON cannot hold: ' + String(error.message).split('\\n')[0] };
        }
      } catch (error) {
        return { threw: 'it threw ' + String(error).slice(0, 4000) };
      }
    }`;

const isShortText: Is<string> = (value): value is string => isText(value) && value.length <= mostCharacters;
const isEvaluated = oneOf<Evaluated>(
  objectOf<{ threw: string }>({ threw: isShortText }),
  objectOf<{ json: string | null; isTrue: boolean }>({ json: orNull(isShortText), isTrue: isTruth }),
);

/** As source text: a page may forbid its own scripts to make functions out of texts, but does not hear of this. */
async function evaluateSource(
  field: string,
  source: string,
  written: string,
  { frame, variables, secrets }: Here,
  asked: Readonly<Record<string, unknown>>,
): Promise<Evaluated | 'again'> {
  const secret = secrets?.used.find(({ value }) => written.includes(value.reveal()));
  if (secret !== undefined) {
    throw new StepFailure('blocked', `the secret ${secret.name} is not handed to an expression or a script`);
  }
  try {
    // Playwright calls a function in source text for nobody.
    const given = JSON.stringify({ ...asked, variables: variables.values() });
    return answerAs(isEvaluated, await frame.evaluate(`(${source})(JSON.parse(${JSON.stringify(given)}))`));
  } catch (error) {
    if (isBetweenDocuments(error)) return 'again';
    const message = plainMessage(error);
    if (!message.startsWith('SyntaxError')) throw error;
    const why = cut(message.split('\n')[0] ?? '', 300);
    throw new StepFailure('invalid_data', `${field}: is no JavaScript (${why})`);
  }
}

/** The value of what was evaluated; null for nothing. Throws StepFailure `assertion` for what was thrown in the page. */
export function evaluatedValue(evaluated: Evaluated, what: string): unknown {
  if ('threw' in evaluated) throw new StepFailure('assertion', `${what} gave nothing: ${evaluated.threw}`);
  return evaluated.json === null ? null : jsonOfPage(evaluated.json);
}
