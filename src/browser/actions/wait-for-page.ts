import type { DataOf } from '../../flow/node-types/node-types.ts';
import { FrameGoneFailure, isBetweenDocuments } from '../step/step-error.ts';
import { comparisonWith } from './compare.ts';
import { frameOf } from './look-at-subject.ts';
import { type Evaluated, evaluateInPage } from './page-expression.ts';
import { type PageFacts, pageFacts } from './page-facts.ts';
import type { Scene } from './scene.ts';
import { expectation, whatWasThere } from './tell-answer.ts';
import type { Condition, Unmet } from './wait-for.ts';

/** What is waited for of the page itself: address, title, how far it has loaded. */
export function pageHaving(data: DataOf<'waitFor'>, scene: Scene): Condition[] {
  const frame = frameOf(data, scene);
  const checks = (['url', 'title'] as const).flatMap((subject) => {
    const { [subject]: value, match = 'exact' } = data;
    if (value === undefined) return [];
    return [{ subject, check: { subject, value, match }, compare: comparisonWith(value, match) }];
  });
  const state = data.load === 'networkidle' ? undefined : data.load;
  if (checks.length === 0 && state === undefined) return [];
  return [
    {
      async look(known, waitMs) {
        try {
          return await pageFacts(frame, known, waitMs);
        } catch (error) {
          if (frame.isDetached()) throw new FrameGoneFailure();
          if (isBetweenDocuments(error)) return 'again';
          throw error;
        }
      },
      unmet(read): Unmet | null {
        const facts = read as PageFacts;
        const wrong = checks.find(({ subject, compare }) => !compare(facts[subject]));
        if (wrong !== undefined) {
          const { check, subject } = wrong;
          return {
            kind: 'timeout',
            what: `${expectation(check)}, ${whatWasThere(check, facts[subject], null)}`,
          };
        }
        const isThere = state === undefined || (state === 'load' ? facts.isLoaded : facts.isInteractive);
        return isThere ? null : { kind: 'timeout', what: 'the page was still loading' };
      },
    },
  ];
}

/** An expression that is waited for to be true. One that throws is not true yet. */
export function expressionHaving(expression: string, scene: Scene): Condition {
  return {
    look: (known, waitMs) =>
      evaluateInPage(expression, scene, { known: known as Evaluated | null, waitMs, needsValue: false }),
    unmet(read): Unmet | null {
      const evaluated = read as Evaluated;
      if ('threw' in evaluated)
        return { kind: 'timeout', what: `the expression was not true: ${evaluated.threw}` };
      return evaluated.isTrue ? null : { kind: 'timeout', what: 'the expression was not true' };
    },
  };
}
