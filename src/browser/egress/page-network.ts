import type { BrowserContext, Page, Request } from 'playwright-core';
import type { RunDeed } from '../step/run-deed.ts';
import type { EgressSession } from './egress-session.ts';
import { type NetworkRules, type Refusal, type Target, targetOf } from './network-rules.ts';

/** What the network did for the page of a run, as its steps ask for it. */
export interface PageNetwork {
  /** The page belongs to a run with these rules from now on; before, it reaches nothing. */
  bind(rules: NetworkRules): void;
  /** Tells which hosts are reached and refused, each once. */
  listen(onDeed: (deed: RunDeed) => void): void;
  /** The address that the page was led to last, when the rules refused it and no other page has come since. */
  refusedPage(): { url: string; refusal: Refusal } | null;
  /** Hosts that were refused to anything in the page since {@link forget}. */
  refusals(): readonly Refusal[];
  /** Forgets refusals: another page is opened. */
  forget(): void;
  /** Chromium's name for why the connection to the host of this URL failed last, null when it did not. */
  failureOf(url: string): string | null;
}

/** Watches the navigations of `page`; its requests are those of `session`. */
export function pageNetwork(context: BrowserContext, page: Page, session: EgressSession): PageNetwork {
  let refusedPage: ReturnType<PageNetwork['refusedPage']> = null;
  context.on('requestfailed', (request) => {
    if (!isNavigationOf(page, request)) return;
    const target = readTarget(request.url());
    const refusal = target === null ? null : session.refusalFor(target);
    if (refusal !== null) refusedPage = { url: request.url(), refusal };
  });
  page.on('framenavigated', (frame) => {
    if (frame === page.mainFrame() && !frame.url().startsWith('chrome-error:')) refusedPage = null;
  });
  return {
    bind: session.bind,
    listen: session.listen,
    refusedPage: () => refusedPage,
    refusals: session.refusals,
    forget() {
      refusedPage = null;
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

function isNavigationOf(page: Page, request: Request): boolean {
  try {
    return request.isNavigationRequest() && request.frame() === page.mainFrame();
  } catch {
    // Its frame is not there yet, which is so for other pages and for frames inside this one only.
    return false;
  }
}
