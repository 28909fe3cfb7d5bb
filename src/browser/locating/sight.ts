import type { Frame } from 'playwright-core';
import type { LocalSecret } from '../../flow/local-secrets.ts';
import { ensureFrameMayHave } from '../step/secret-hosts.ts';
import { type LookRequest, lookInPage, type PageLook } from './look-in-page.ts';

/** What a look is asked of. */
export interface Sight {
  /** Looks for CSS selectors, inside the page. */
  look(request: LookRequest): Promise<PageLook>;
  /** Looks for one selector of any kind, by Playwright's own engine. */
  lookFor(selector: string, request: LookRequest): Promise<PageLook>;
  close(): void;
}

/** Whatever document the frame has at the moment of the look. */
export function sightOf(frame: Frame): Sight {
  return {
    look: (request) => frame.evaluate(lookInPage, request),
    lookFor: (selector, request) => frame.locator(selector).evaluateAll(lookInPage, request),
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
  ensureFrameMayHave(used, frame);
  return {
    look: (request) => held.evaluate(lookInPage, request),
    lookFor: (selector, request) => held.$$eval(selector, lookInPage, request),
    close: () => void held.dispose().catch(() => {}),
  };
}
