import type { BrowserContext, ConsoleMessage, Request } from 'playwright-core';
import type { NodeType } from '../../flow/node-types/node-types.ts';
import type { Redactor } from '../../lib/redactor.ts';
import { limits } from '../../protocol/limits.ts';
import type { StepResult } from '../../protocol/run-result.ts';
import { cut } from '../step/step-error.ts';

/** What went wrong in a page, for the result of a step that failed. */
type Observed = NonNullable<StepResult['observed']>;

/** Hears what goes wrong in the pages of a run: errors in the console, requests that failed, errors nobody caught. */
export interface PageObserver {
  /** Listens to all pages of this context from now on. */
  watch(context: BrowserContext, failureOf: (url: string) => string | null): void;
  /** A step begins. What was seen is forgotten, unless the step before has opened the page this one is in: that it opened badly is what ails this one. */
  begin(type: NodeType): void;
  /** What was seen since, secrets taken out; undefined where all was well. */
  seen(redactor: Redactor): Observed | undefined;
}

/** Entries of each kind; a page that has more wrong has the same wrong over and over. */
const maxEntries = 20;
/** Characters of one entry in a result. */
const entryLength = 500;
/** Console messages of one step after which nobody listens any more: each costs this program time, and a page may write without end. */
const maxMessages = 1_000;

const opensPage: ReadonlySet<NodeType> = new Set(['navigate', 'reload', 'back', 'forward', 'openPage']);

/** Nothing yet. */
export function createPageObserver(): PageObserver {
  const seen = { consoleErrors: createList(), failedRequests: createList(), pageErrors: createList() };
  const contexts = new Set<BrowserContext>();
  const deafTo = new Set<BrowserContext>();
  let messages = 0;
  let hasOpened = false;

  function onConsole(message: ConsoleMessage): void {
    messages += 1;
    if (messages > maxMessages) stopListening();
    if (message.type() !== 'error') return;
    const text = message.text();
    const [, status, reason] = failedToLoad.exec(text) ?? [];
    const { url } = message.location();
    if (status !== undefined) seen.failedRequests.add(`${plainUrl(url)}: ${`${status} ${reason}`.trim()}`);
    // The request itself tells of that.
    else if (!/^Failed to load resource: net::/.test(text)) seen.consoleErrors.add(text);
  }

  function stopListening(): void {
    for (const context of contexts) {
      context.off('console', onConsole);
      deafTo.add(context);
    }
  }

  return {
    watch(context, failureOf) {
      contexts.add(context);
      context.on('close', () => {
        contexts.delete(context);
        deafTo.delete(context);
      });
      context.on('console', onConsole);
      context.on('weberror', (error) => {
        const thrown = error.error();
        seen.pageErrors.add(thrown.name === '' ? thrown.message : `${thrown.name}: ${thrown.message}`);
      });
      context.on('requestfailed', (request) => {
        const reason = reasonOf(request, failureOf);
        if (reason !== null) {
          seen.failedRequests.add(`${request.method()} ${plainUrl(request.url())}: ${reason}`);
        }
      });
    },
    begin(type) {
      const isInFreshPage = hasOpened && !opensPage.has(type);
      hasOpened = opensPage.has(type);
      if (isInFreshPage) return;
      for (const list of Object.values(seen)) list.clear();
      messages = 0;
      for (const context of deafTo) context.on('console', onConsole);
      deafTo.clear();
    },
    seen(redactor) {
      const all = Object.entries(seen).flatMap(([kind, list]) => {
        const entries = list.entries().map((entry) => cut(redactor.text(entry), entryLength));
        return entries.length === 0 ? [] : [[kind, entries] as const];
      });
      return all.length === 0 ? undefined : Object.fromEntries(all);
    },
  };
}

/**
 * How Chromium writes into the console that an answer was an error. Answers are not listened to themselves: every single one would
 * then cost the run time.
 */
const failedToLoad = /^Failed to load resource: the server responded with a status of (\d{3}) \((.*)\)$/;

/** Null for a request that was given up because its page went on, which is no failure of anything. */
function reasonOf(request: Request, failureOf: (url: string) => string | null): string | null {
  const text = request.failure()?.errorText ?? 'failed';
  if (/ERR_ABORTED/.test(text)) return null;
  // To the browser every connection that its proxy could not make failed alike.
  const known = /TUNNEL|CONTENT_LENGTH/.test(text) ? failureOf(request.url()) : null;
  return known ?? text.replace(/^net::/, '');
}

/** The address without user and password, and without what only the page itself reads. */
function plainUrl(address: string): string {
  if (!URL.canParse(address)) return address;
  const url = new URL(address);
  url.username = '';
  url.password = '';
  url.hash = '';
  return url.href;
}

/** The first entries, each once. The whole text is kept until secrets are taken out, as far as any result goes. */
function createList(): { add(text: string): void; clear(): void; entries(): string[] } {
  const entries = new Set<string>();
  return {
    add(text) {
      if (entries.size < maxEntries) entries.add(cut(text, limits.textLength));
    },
    clear: () => entries.clear(),
    entries: () => [...entries],
  };
}
