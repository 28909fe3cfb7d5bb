import { EnvironmentError } from '../lib/errors.ts';
import { type EgressProxy, type NetworkOptions, startEgressProxy } from './egress/egress-proxy.ts';
import type { NetworkRules } from './egress/network-rules.ts';
import { type Chromium, type LaunchOptions, launchChromium } from './launch-chromium.ts';
import { probeRendering, type Rendering } from './probe-rendering.ts';
import { openRunPage, type RunPage } from './run-page.ts';

/** A Chromium that stays up between runs. A run gets a fresh context; a browser that died is replaced for the next run. */
export interface WarmBrowser {
  /** A page nobody has used, held by these rules, or by those of the browser. Throws EnvironmentError when no browser can be started. */
  newRun(rules?: NetworkRules): Promise<RunPage>;
  /**
   * Has a page of our own rendered, beside the runs: it is none of them, so that no browser is used up by it, and takes the spare page from
   * nobody. Rejects when Chromium does not do it: a browser whose process lives may hang all the same.
   */
  probe(): Promise<Rendering>;
  /** Chromium's version, as `156.0.8078.79`. */
  readonly version: string;
  /** False when Chromium runs without its sandbox. */
  readonly sandboxed: boolean;
  /** Process id of the browser process at the moment, null where it is not known. */
  readonly pid: number | null;
  /** False once closed, or while the browser is dead and not yet replaced. */
  isUsable(): boolean;
  /** Resolves when nothing goes on behind the runs: contexts that close, the spare page that opens, browsers that end. */
  settled(): Promise<void>;
  /** Ends everything: all its processes and profiles are gone when it resolves. Never rejects; safe to call twice. */
  close(): Promise<void>;
}

/**
 * Starts a warm browser. One unused page is kept ready, so that a run does not wait for it (30 to 50 ms).
 * Throws EnvironmentError when the browser cannot be started.
 */
export async function launchBrowser(
  options: Omit<LaunchOptions, 'proxyUrl'> & { runsPerBrowser?: number; network?: NetworkOptions },
): Promise<WarmBrowser> {
  const { network = openNetwork } = options;
  const egress = await startEgressProxy(network);
  try {
    return await launchBehind(egress, { ...options, network });
  } catch (error) {
    await egress.close();
    throw error;
  }
}

async function launchBehind(
  egress: EgressProxy,
  {
    network,
    runsPerBrowser = defaultRunsPerBrowser,
    ...options
  }: Omit<LaunchOptions, 'proxyUrl'> & { runsPerBrowser?: number; network: NetworkOptions },
): Promise<WarmBrowser> {
  const { log } = options;
  const background = new Set<Promise<unknown>>();
  const living = new Set<Host>();
  let isClosed = false;

  /** A browser that is being started. Runs are counted for it from now on: of those that come at once, none may take a place that is gone. */
  function launchHost(): Host {
    const host: Host = {
      launching: launchChromium({ ...options, proxyUrl: egress.url }),
      chromium: null,
      runs: 0,
      active: 0,
      spare: null,
      isRetired: false,
      hasFailed: false,
    };
    living.add(host);
    host.launching = inBackground(
      host.launching.then(
        (chromium) => {
          host.chromium = chromium;
          newest = chromium;
          if (isClosed) retire(host);
          else prepareSpare(host);
          return chromium;
        },
        (error: unknown) => {
          host.hasFailed = true;
          living.delete(host);
          throw error;
        },
      ),
    );
    return host;
  }

  async function open({ launching }: Host): Promise<RunPage> {
    const { browser, kill } = await launching;
    // Playwright leaves newContext and newPage unsettled for ever when the browser is closed in the middle of them.
    let stopWatching = (): void => {};
    const ended = new Promise<never>((_, reject) => {
      const onDisconnected = (): void => reject(new Error('the browser ended while a page was opened'));
      browser.on('disconnected', onDisconnected);
      stopWatching = () => browser.off('disconnected', onDisconnected);
      if (!browser.isConnected()) onDisconnected();
    });
    return Promise.race([openRunPage(browser, { kill, log, egress }), ended]).finally(() => stopWatching());
  }

  function prepareSpare(host: Host): void {
    if (host.spare !== null || host.isRetired || isUsedUp(host) || !isAlive(host)) return;
    // A spare that cannot be opened is no fault yet: the run that needs a page will meet the reason itself.
    host.spare = inBackground(open(host).catch(() => null));
  }

  function isUsedUp({ runs }: Host): boolean {
    return runs >= runsPerBrowser;
  }

  /** The host takes no more runs and ends with its last one. */
  function retire(host: Host): void {
    host.isRetired = true;
    if (host.active > 0 || !living.delete(host)) return;
    inBackground(host.launching.then((chromium) => chromium.close())).catch(() => {});
  }

  /** The browser for one more run, whose place is taken when this returns; for a page that is no run also one that has had its runs. */
  function claimHost(isRun: boolean): Host {
    const isGone = current.chromium !== null && !isAlive(current);
    if (isGone && !current.isRetired) log.warn('Chromium had ended and is started again');
    if (isGone || current.hasFailed || current.isRetired || (isRun && isUsedUp(current))) {
      retire(current);
      current = launchHost();
    }
    if (isRun) current.runs += 1;
    current.active += 1;
    return current;
  }

  function release(host: Host): void {
    host.active -= 1;
    // A browser that has had its runs goes with the last of them, and all it holds of them; the next run finds another one up.
    if (isUsedUp(host)) retire(host);
    if (host.isRetired) retire(host);
    else prepareSpare(host);
    if (host === current && host.isRetired && host.active === 0 && !isClosed) current = launchHost();
  }

  async function takePage(from: Host): Promise<RunPage> {
    const spare = from.spare;
    from.spare = null;
    const ready = await spare;
    return ready !== null && !ready.gone.aborted ? ready : open(from);
  }

  async function newRun(rules: NetworkRules, isSecondTry = false): Promise<RunPage> {
    if (isClosed) throw new Error('the browser was closed');
    const from = claimHost(true);
    try {
      await from.launching;
      const opened = await takePage(from);
      opened.network.bind(rules);
      let closing: Promise<void> | null = null;
      const close = (): Promise<void> => {
        closing ??= inBackground(opened.close().finally(() => release(from)));
        return closing;
      };
      return { ...opened, close };
    } catch (error) {
      release(from);
      if (from.hasFailed || isAlive(from)) throw error;
      if (!isSecondTry) return newRun(rules, true);
      throw new EnvironmentError('the browser ended while a page was opened, twice', { cause: error });
    }
  }

  async function probe(): Promise<Rendering> {
    if (isClosed) throw new Error('the browser was closed');
    const host = claimHost(false);
    try {
      const { page, close } = await open(host);
      return await probeRendering(page).finally(close);
    } finally {
      release(host);
    }
  }

  function inBackground<T>(work: Promise<T>): Promise<T> {
    const tracked = work.catch(() => {}).finally(() => background.delete(tracked));
    background.add(tracked);
    return work;
  }

  // The newest that is up: for telling, also while the next one is being started.
  let newest: Chromium | null = null;
  let current = launchHost();
  const first = await current.launching;
  let closing: Promise<void> | null = null;
  return {
    newRun: (rules = network.rules) => newRun(rules),
    probe: () => inBackground(probe()),
    get version() {
      return (newest ?? first).version;
    },
    get sandboxed() {
      return (newest ?? first).sandboxed;
    },
    get pid() {
      return (newest ?? first).pid;
    },
    isUsable: () => !isClosed && (newest ?? first).browser.isConnected(),
    async settled() {
      while (background.size > 0) await Promise.all(background);
    },
    close() {
      isClosed = true;
      closing ??= (async () => {
        const ending = [...living].map(({ launching }) => launching.then((chromium) => chromium.close()));
        await Promise.allSettled(ending);
        while (background.size > 0) await Promise.all(background);
        await egress.close();
      })();
      return closing;
    },
  };
}

/** Without any rules of the machine: everything but the metadata services of clouds. */
const openNetwork: NetworkOptions = { rules: { profile: 'open', allowHosts: [], onlyLists: [] } };

/** After this many runs a browser is replaced. Nothing leaks in 200 contexts (measured); this is for safety. */
const defaultRunsPerBrowser = 200;

interface Host {
  /** Rejects with EnvironmentError when it does not start. */
  launching: Promise<Chromium>;
  /** Null until it is up. */
  chromium: Chromium | null;
  /** Runs it was ever given, those that wait for it counted in. */
  runs: number;
  active: number;
  spare: Promise<RunPage | null> | null;
  isRetired: boolean;
  hasFailed: boolean;
}

function isAlive({ chromium }: Host): boolean {
  return chromium?.browser.isConnected() === true;
}
