import type { Browser } from 'playwright-core';
import type { Certificate } from '../lib/certificates.ts';
import { EnvironmentError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { chromiumNetworkFlags } from './egress/chromium-network-flags.ts';
import { browserEnvironment } from './install/browser-environment.ts';
import type { Environment } from './install/browser-machine.ts';
import type { BrowserChoice } from './install/find-browser.ts';
import { loadPlaywright } from './install/load-playwright.ts';
import { addSelectorEngines } from './locating/selector-engines.ts';
import { plainMessage } from './step/step-error.ts';
import { trustInBrowser } from './trusted-ca.ts';

/** `auto`: on unless root, with a warning where it does not work; `required`: on, or the browser does not start. */
type SandboxMode = 'auto' | 'required' | 'off';

/** What a Chromium is started with. Nothing of this may come from the server. */
export interface LaunchOptions {
  choice: BrowserChoice;
  headed?: boolean;
  sandbox?: SandboxMode;
  log: Log;
  /** Where all of Chromium's requests go; pages bring credentials of their own, without which nothing is reached. */
  proxyUrl: string;
  /** The program's environment, of which Chromium gets a small part. Without it Chromium gets a minimal one. */
  env?: Environment;
  /** Trusted besides Chromium's own list. */
  certificates?: readonly Certificate[];
  /** Whoever cleans up after this program when it cannot do so itself. */
  watcher?: BrowserWatcher;
}

/** Hears of every Chromium as it comes and goes. */
export interface BrowserWatcher {
  /** Resolves when a Chromium may start. Throws EnvironmentError when it may not. */
  starting(): Promise<void>;
  /** Its browser process, which leads a process group of its own, except on Windows. */
  started(pid: number): Promise<void>;
  /** None of its processes is left. */
  ended(pid: number): Promise<void>;
}

/** One running Chromium: its processes and its temporary profile. */
export interface Chromium {
  readonly browser: Browser;
  readonly version: string;
  readonly sandboxed: boolean;
  /** Process id of the browser process, null where it could not be asked. It leads a process group of its own, except on Windows. */
  readonly pid: number | null;
  /** Ends all its processes, by force after `closeMs`, and removes its profile. Never rejects; safe to call twice. */
  close(): Promise<void>;
  /** Ends all its processes at once. */
  kill(): void;
}

/** Starts a Chromium. Throws EnvironmentError with its own words when it does not start. */
export async function launchChromium(options: LaunchOptions): Promise<Chromium> {
  const { certificates = [], env = {}, log } = options;
  await options.watcher?.starting();
  // Made anew for each: a folder that lies in the temporary one for days may be cleaned away.
  const trust = await trustInBrowser(certificates, { env, log });
  try {
    const chromium = await launchSandboxed({ ...options, env: { ...env, ...trust.env } });
    return { ...chromium, close: () => chromium.close().then(trust.remove) };
  } catch (error) {
    await trust.remove();
    throw error;
  }
}

async function launchSandboxed(options: LaunchOptions): Promise<Chromium> {
  const { choice, sandbox = 'auto', log } = options;
  const isRoot = process.getuid?.() === 0;
  const wanted = sandbox === 'required' || (sandbox === 'auto' && !isRoot);
  try {
    return await launch(options, wanted);
  } catch (error) {
    if (!wanted || sandbox === 'required') throw notStarted(choice, error);
    const chromium = await launch(options, false).catch((second: unknown) => {
      throw notStarted(choice, second);
    });
    log.warn(
      'Chromium runs WITHOUT its sandbox: this system does not let it have one. A hostile page could reach this machine.',
      { reason: plainMessage(error).split('\n')[0] ?? '' },
    );
    return chromium;
  }
}

/** Longest a graceful end may take before the processes are killed. Source: system.md §6. */
const closeMs = 5_000;
const launchMs = 30_000;

async function launch(
  { choice, headed = false, env, log, proxyUrl, watcher }: LaunchOptions,
  sandboxed: boolean,
): Promise<Chromium> {
  const { chromium, selectors } = loadPlaywright();
  await addSelectorEngines(selectors);
  const browser = await chromium.launch({
    executablePath: choice.path,
    headless: !headed,
    chromiumSandbox: sandboxed,
    args: [...chromiumNetworkFlags],
    proxy: { server: proxyUrl, bypass: '<-loopback>' },
    env: browserEnvironment(env ?? {}, choice.env),
    timeout: launchMs,
    // The program ends its browser itself, in order; Playwright would close it under a run that is being drained.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
  const pid = await browserPid(browser);
  if (pid !== null) await watcher?.started(pid);
  let closing: Promise<void> | null = null;
  let burial: Promise<void> | null = null;
  const kill = (): void => {
    if (pid !== null && burial === null) killGroup(pid);
  };
  /** Kills helpers that outlive the browser process, for the last time: its number may soon mean somebody else. */
  const bury = (): Promise<void> => {
    kill();
    burial ??= (pid === null ? undefined : watcher?.ended(pid)) ?? Promise.resolve();
    return burial;
  };
  const onDisconnected = (): void => {
    // Not by us: the browser process was killed from outside, or crashed.
    if (closing === null) void bury();
  };
  browser.on('disconnected', onDisconnected);
  if (!browser.isConnected()) onDisconnected();
  return {
    browser,
    version: browser.version(),
    sandboxed,
    pid,
    kill,
    close() {
      closing ??= endChromium(browser, kill, log).then(bury);
      return closing;
    },
  };
}

async function endChromium(browser: Browser, kill: () => void, log: Log): Promise<void> {
  // Resolves when the processes are gone and the profile is removed, also after a kill.
  const ended = browser.close().catch(() => {});
  const timer = setTimeout(() => {
    log.warn(`Chromium did not end within ${closeMs / 1_000} s and was killed`);
    kill();
  }, closeMs);
  await ended;
  clearTimeout(timer);
}

async function browserPid(browser: Browser): Promise<number | null> {
  try {
    const session = await browser.newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    await session.detach();
    return processInfo.find(({ type }) => type === 'browser')?.id ?? null;
  } catch {
    return null;
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

const noSandbox = 'it cannot have its sandbox on this system';
const sandboxHint =
  'The sandbox needs a user other than root and unprivileged user namespaces; allow both, or do without it.';

function notStarted({ path }: BrowserChoice, error: unknown): EnvironmentError {
  const problem = startProblem(error);
  return new EnvironmentError(`the browser ${path} does not start: ${problem}`, {
    hint:
      problem === noSandbox
        ? sandboxHint
        : `Try it by hand: ${path} --version. Choose another with QUALINET_BROWSER=/path/to/chromium, or get one with: qualinet install-browser`,
    cause: error,
  });
}

/** The lines that say why among the hundreds Playwright and Chromium write. */
function startProblem(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const missing = /error while loading shared libraries: [^\n]+/.exec(text)?.[0];
  if (missing !== undefined) return missing;
  if (/sandboxing failed|No usable sandbox|without --no-sandbox/i.test(text)) {
    return noSandbox;
  }
  if (/Missing X server|\$DISPLAY|ozone_platform/i.test(text))
    return 'there is no display to show a window on';
  const exit = /process did exit: exitCode=(\d+|null), signal=(\w+)/.exec(text);
  const said = [...text.matchAll(/\[err\] (.+)/g)]
    .map(([, line = '']) => line)
    .filter((line) => !/dbus/i.test(line));
  if (exit !== null) {
    const how =
      exit[1] === 'null' ? `it was ended by ${exit[2]}` : `it ended at once with exit code ${exit[1]}`;
    return said.length === 0 ? how : `${how}: ${(said[0] ?? '').slice(0, 300)}`;
  }
  return plainMessage(error).split('\n')[0] ?? 'for an unknown reason';
}
