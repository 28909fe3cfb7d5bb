import { EnvironmentError } from '../lib/errors.ts';
import { type EgressProxy, type NetworkOptions, startEgressProxy } from './egress/egress-proxy.ts';
import type { NetworkRules } from './egress/network-rules.ts';
import { type Chromium, type LaunchOptions, launchChromium } from './launch-chromium.ts';
import { openRunPage, type RunPage } from './run-page.ts';

/** A Chromium that stays up between runs. A run gets a fresh context; a browser that died is replaced for the next run. */
export interface WarmBrowser {
  /** A page nobody has used, held by these rules, or by those of the browser. Throws EnvironmentError when no browser can be started. */
  newRun(rules?: NetworkRules): Promise<RunPage>;
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
  let replacing: Promise<Host> | null = null;
  let isClosed = false;

  async function launchHost(): Promise<Host> {
    const host: Host = {
      chromium: await launchChromium({ ...options, proxyUrl: egress.url }),
      runs: 0,
      active: 0,
      spare: null,
      isRetired: false,
    };
    living.add(host);
    if (isClosed) retire(host);
    else prepareSpare(host);
    return host;
  }

  function open({ chromium: { browser, kill } }: Host): Promise<RunPage> {
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
    if (host.spare !== null || host.isRetired || !isAlive(host)) return;
    // A spare that cannot be opened is no fault yet: the run that needs a page will meet the reason itself.
    host.spare = inBackground(open(host).catch(() => null));
  }

  /** The host takes no more runs and ends with its last one. */
  function retire(host: Host): void {
    host.isRetired = true;
    if (host.active > 0 || !living.delete(host)) return;
    inBackground(host.chromium.close());
  }

  async function usableHost(): Promise<Host> {
    if (replacing !== null) return replacing;
    if (isAlive(host) && host.runs < runsPerBrowser) return host;
    if (!isAlive(host)) log.warn('Chromium had ended and is started again');
    retire(host);
    // Whoever comes next finds either the launch under way or the browser it gave, never the one before.
    replacing = launchHost()
      .then((launched) => {
        host = launched;
        return launched;
      })
      .finally(() => {
        replacing = null;
      });
    return inBackground(replacing);
  }

  async function takePage(from: Host): Promise<RunPage> {
    const spare = from.spare;
    from.spare = null;
    const ready = await spare;
    return ready !== null && !ready.gone.aborted ? ready : open(from);
  }

  async function newRun(rules: NetworkRules, isSecondTry = false): Promise<RunPage> {
    if (isClosed) throw new Error('the browser was closed');
    const from = await usableHost();
    from.runs += 1;
    from.active += 1;
    const release = (): void => {
      from.active -= 1;
      if (from.isRetired) retire(from);
      else prepareSpare(from);
    };
    try {
      const opened = await takePage(from);
      opened.network.bind(rules);
      let closing: Promise<void> | null = null;
      const close = (): Promise<void> => {
        closing ??= inBackground(opened.close().finally(release));
        return closing;
      };
      return { ...opened, close };
    } catch (error) {
      release();
      if (isAlive(from)) throw error;
      if (!isSecondTry) return newRun(rules, true);
      throw new EnvironmentError('the browser ended while a page was opened, twice', { cause: error });
    }
  }

  function inBackground<T>(work: Promise<T>): Promise<T> {
    const tracked = work.catch(() => {}).finally(() => background.delete(tracked));
    background.add(tracked);
    return work;
  }

  let host = await launchHost();
  let closing: Promise<void> | null = null;
  return {
    newRun: (rules = network.rules) => newRun(rules),
    get version() {
      return host.chromium.version;
    },
    get sandboxed() {
      return host.chromium.sandboxed;
    },
    get pid() {
      return host.chromium.pid;
    },
    isUsable: () => !isClosed && isAlive(host),
    async settled() {
      while (background.size > 0) await Promise.all(background);
    },
    close() {
      isClosed = true;
      closing ??= (async () => {
        await replacing?.catch(() => {});
        await Promise.all([...living].map(({ chromium }) => chromium.close()));
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
  readonly chromium: Chromium;
  runs: number;
  active: number;
  spare: Promise<RunPage | null> | null;
  isRetired: boolean;
}

function isAlive({ chromium }: Host): boolean {
  return chromium.browser.isConnected();
}
