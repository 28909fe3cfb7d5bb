import type { Frame } from 'playwright-core';
import type { LocalSecret } from '../../flow/local-secrets.ts';
import {
  answerAs,
  type Is,
  isNumber,
  isText,
  listOf,
  objectOf,
  orAbsent,
  orNull,
} from '../step/page-answer.ts';
import { ensureFrameMayHave } from '../step/secret-hosts.ts';
import { type ElementLook, type LookRequest, lookInPage } from './look-in-page.ts';
import { type Lookalike, type LookalikeRequest, nearestInPage } from './nearest-in-page.ts';

/** What a look is asked of. */
export interface Sight {
  /** Looks for all ways of the request, inside the page: one answer each. */
  look(request: LookRequest): Promise<ElementLook[]>;
  /** Looks for one selector of any kind, by Playwright's own engines. */
  lookFor(selector: string, request: LookRequest): Promise<ElementLook[]>;
  /** The element that is most like what was looked for; null where none is. */
  nearest(request: LookalikeRequest): Promise<Lookalike | null>;
  close(): void;
}

const areLooks = listOf(
  objectOf<Pick<ElementLook, 'matches' | 'at'> & { state: string; detail: string | undefined }>({
    state: isText,
    matches: isNumber,
    at: isNumber,
    detail: orAbsent(isText),
  }),
) as Is<ElementLook[]>;
const isLookalike = orNull(objectOf<Lookalike>({ element: isText, text: isText }));

/** Whatever document the frame has at the moment of the look. */
export function sightOf(frame: Frame): Sight {
  return {
    look: async (request) => answerAs(areLooks, await frame.evaluate(lookInPage, request)),
    lookFor: async (selector, request) =>
      answerAs(areLooks, await frame.locator(selector).evaluateAll(lookInPage, request)),
    nearest: async (request) => answerAs(isLookalike, await frame.evaluate(nearestInPage, request)),
    close: () => {},
  };
}

/**
 * The one document that the frame has now, which may be told these secrets. A look happens in the page's own world, where scripts
 * can hear what is looked for: a document that takes the place of the one that was judged is not asked, and the look
 * fails as between two documents. Throws StepFailure `blocked`.
 */
export async function sightOfJudged(used: readonly LocalSecret[], frame: Frame): Promise<Sight> {
  const held = (await frame.evaluateHandle(() => document)).asElement();
  if (held === null) throw new Error('a document is a node');
  try {
    ensureFrameMayHave(used, frame);
  } catch (error) {
    held.dispose().catch(() => {});
    throw error;
  }
  return {
    look: async (request) => answerAs(areLooks, await held.evaluate(lookInPage, request)),
    lookFor: async (selector, request) =>
      answerAs(areLooks, await held.$$eval(selector, lookInPage, request)),
    nearest: () => Promise.resolve(null),
    close: () => void held.dispose().catch(() => {}),
  };
}
