import type { BrowserContext, Frame, Page, Request } from 'playwright-core';
import type { RunDeed } from '../step/run-deed.ts';
import type { EgressSession } from './egress-session.ts';
import { type NetworkRules, type Refusal, type Target, targetOf } from './network-rules.ts';

/** What the network did for the pages of a run, as its steps ask for it. */
export interface PageNetwork {
  /** The pages belong to a run with these rules from now on; before, they reach nothing. */
  bind(rules: NetworkRules): void;
  /** Tells which hosts are reached and refused, each once. */
  listen(onDeed: (deed: RunDeed) => void): void;
  /**
   * The address that a page was led to last, when the rules refused it and it has come to no other since; of the page that the step
   * at work is about where none is named.
   */
  refusedPage(page?: Page): RefusedPage | null;
  /** Hosts that were refused to anything in the pages since {@link forget}. */
  refusals(): readonly Refusal[];
  /** Forgets refusals: another address is opened. */
  forget(): void;
  /** Chromium's name for why the connection to the host of this URL failed last, null when it did not. */
  failureOf(url: string): string | null;
}

interface RefusedPage {
  url: string;
  refusal: Refusal;
}

/** The pages of a run, as far as the network asks for them. */
interface WatchedPages {
  inUse(): Page;
  forEach(visit: (page: Page) => void): void;
}

/** Watches the navigations of all pages of `context`; their requests are those of `session`. */
export function pageNetwork(
  context: BrowserContext,
  pages: WatchedPages,
  session: EgressSession,
): PageNetwork {
  const refused = new Map<Page, RefusedPage>();
  /** Of a window that was opened at an address which was refused: the request fails before its page is there. */
  let refusedBeforePage: RefusedPage | null = null;
  context.on('requestfailed', (request) => {
    if (!request.isNavigationRequest()) return;
    const target = readTarget(request.url());
    const refusal = target === null ? null : session.refusalFor(target);
    if (refusal === null) return;
    const frame = frameOf(request);
    if (frame === null) refusedBeforePage = { url: request.url(), refusal };
    else if (frame.parentFrame() === null) refused.set(frame.page(), { url: request.url(), refusal });
  });
  pages.forEach((page) => {
    if (isErrorPage(page) && refusedBeforePage !== null) refused.set(page, refusedBeforePage);
    refusedBeforePage = null;
    page.on('framenavigated', (frame) => {
      if (frame === page.mainFrame() && !isErrorPage(page)) refused.delete(page);
    });
    page.on('close', () => refused.delete(page));
  });
  return {
    bind: session.bind,
    listen: session.listen,
    refusedPage: (page = pages.inUse()) => refused.get(page) ?? null,
    refusals: session.refusals,
    forget() {
      refused.delete(pages.inUse());
      session.forget();
    },
    failureOf(url) {
      const target = readTarget(url);
      return target === null ? null : session.failureOf(target);
    },
  };
}

function readTarget(url: string): Target | null {
  return URL.canParse(url) ? targetOf(new URL(url)) : null;
}

function isErrorPage(page: Page): boolean {
  return page.url().startsWith('chrome-error:');
}

/** Null where it is not there yet, which is so for new pages and for frames inside of one only. */
function frameOf(request: Request): Frame | null {
  try {
    return request.frame();
  } catch {
    return null;
  }
}
