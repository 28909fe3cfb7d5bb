import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { Log } from '../lib/log.ts';
import type { EgressProxy } from './egress/egress-proxy.ts';
import { greetProxy } from './egress/greet-proxy.ts';
import { type PageNetwork, pageNetwork } from './egress/page-network.ts';
import { createPageObserver, type PageObserver } from './evidence/observer.ts';
import { type PageEmulation, pageEmulation } from './pages/page-emulation.ts';
import { createRunDialogs, type RunDialogs } from './pages/run-dialogs.ts';
import { createRunDownloads, type RunDownloads } from './pages/run-downloads.ts';
import { type RunPages, runPages } from './pages/run-pages.ts';
import { BrowserEndedFailure, type StepFailure } from './step/step-error.ts';

/** A fresh context with the pages of one run. Nothing of an earlier run is in it, nothing of it stays. */
export interface RunPage {
  /** The page it begins with. */
  readonly page: Page;
  /** All its pages, and which of them the flow is in. */
  readonly pages: RunPages;
  readonly emulation: PageEmulation;
  readonly context: BrowserContext;
  /** Its way to the network, and what came of it. */
  readonly network: PageNetwork;
  /**
   * Fires when the flow is left without a page other than by its own steps or by {@link close}: the page it is in crashed, or closed
   * itself and was the last, or the browser ended. Its reason is a StepFailure, a BrowserEndedFailure for the browser.
   */
  readonly gone: AbortSignal;
  /** What its pages ask with alert, confirm, prompt and beforeunload. */
  readonly dialogs: RunDialogs;
  /** The files its pages give to save. */
  readonly downloads: RunDownloads;
  /** What goes wrong in its pages. */
  readonly observer: PageObserver;
  /** Resolves when the context is gone. Never rejects, and ends in time even when the page hangs. */
  close(): Promise<void>;
}

/** Longest a context may take to close before its browser is killed. Source: system.md §6. */
const closeMs = 5_000;

/**
 * Opens a context and its page in `browser`, which reaches nothing until rules are bound to its network. `kill` ends the
 * browser when the context cannot be closed.
 */
export async function openRunPage(
  browser: Browser,
  { kill, log, egress }: { kill: () => void; log: Log; egress: EgressProxy },
): Promise<RunPage> {
  const session = egress.open();
  // Service workers stay allowed: a fresh context has none, and sites are tested as their visitors get them. Named here, the
  // one entry of the bypass list holds whatever PLAYWRIGHT_DISABLE_FORCED_CHROMIUM_PROXIED_LOOPBACK says: loopback, too, goes
  // through the proxy.
  const context = await browser
    .newContext({ acceptDownloads: false, proxy: { server: egress.url, bypass: '<-loopback>' } })
    .catch((error: unknown) => {
      session.close();
      throw error;
    });
  const gone = new AbortController();
  let closing: Promise<void> | null = null;

  const dialogs = createRunDialogs();
  const downloads = createRunDownloads();
  const observer = createPageObserver();
  dialogs.watch(context);
  let page: Page;
  try {
    page = await context.newPage();
    await greetProxy(page, session);
  } catch (error) {
    session.close();
    await context.close().catch(() => {});
    throw error;
  }

  const onDisconnected = (): void => lose(new BrowserEndedFailure());
  function lose(failure: StepFailure): void {
    if (closing === null) gone.abort(failure);
  }
  const pages = runPages(context, page, (failure) => {
    if (failure.kind === 'browser_crashed') return lose(failure);
    // The pages of a browser that dies are reported closed first.
    setTimeout(() => {
      if (browser.isConnected()) lose(failure);
      else onDisconnected();
    }, 50);
  });
  browser.on('disconnected', onDisconnected);

  const network = pageNetwork(context, pages, session);
  observer.watch(context, network.failureOf);
  return {
    page,
    pages,
    emulation: pageEmulation(pages),
    context,
    network,
    dialogs,
    downloads,
    observer,
    gone: gone.signal,
    close() {
      dialogs.release();
      closing ??= closeContext(context, kill, log).finally(() => {
        browser.off('disconnected', onDisconnected);
        session.close();
        return downloads.close();
      });
      return closing;
    },
  };
}

async function closeContext(context: BrowserContext, kill: () => void, log: Log): Promise<void> {
  const timer = setTimeout(() => {
    log.warn(`a page did not close within ${closeMs / 1_000} s: its browser was killed`);
    kill();
  }, closeMs);
  await context.close().catch(() => {});
  clearTimeout(timer);
}
