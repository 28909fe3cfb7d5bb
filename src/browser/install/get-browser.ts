import { EnvironmentError } from '../../lib/errors.ts';
import { aptPackage, installAptBrowser } from './apt-browser.ts';
import {
  type BrowserDeps,
  type BrowserKind,
  type BrowserMachine,
  browserMachine,
} from './browser-machine.ts';
import { type BrowserChoice, type FindBrowserOptions, namedBrowser, searchBrowsers } from './find-browser.ts';
import { installNpmBrowser } from './npm-browser.ts';
import { installPlaywrightBrowser } from './playwright-browser.ts';

/** What to look for, and what ends an installation early. */
export interface GetBrowserOptions extends FindBrowserOptions {
  /** Stops a running installation; its reason is thrown. */
  signal?: AbortSignal | undefined;
}

/**
 * A Chromium that is there, or one that gets installed now. Says what it chose and why.
 * Throws EnvironmentError when there is none and none can be installed, with every reason.
 */
export async function getBrowser(options: GetBrowserOptions, deps: BrowserDeps = {}): Promise<BrowserChoice> {
  const machine = browserMachine(options.env, deps);
  if (options.browserPath)
    return announced(await namedBrowser(options.browserPath, options, machine), machine);
  const kinds: BrowserKind[] = options.headed ? ['chromium'] : ['headless-shell', 'chromium'];
  const { choice, broken } = await searchBrowsers(kinds, options, machine);
  if (choice !== null) return announced(choice, machine);
  machine.say('no Chromium was found that can be used; getting one');
  return install(broken, options, machine);
}

/**
 * Installs a headless shell unless one is there already, even where a full Chromium is (`qualinet install-browser`).
 * With `headed` it is about a full Chromium. Throws EnvironmentError when every way fails.
 */
export async function installBrowser(
  options: Omit<GetBrowserOptions, 'browserPath'>,
  deps: BrowserDeps = {},
): Promise<BrowserChoice> {
  const machine = browserMachine(options.env, deps);
  const { choice, broken } = await searchBrowsers([wantedKind(options)], options, machine);
  return choice === null ? install(broken, options, machine) : announced(choice, machine);
}

async function install(
  broken: readonly string[],
  options: GetBrowserOptions,
  machine: BrowserMachine,
): Promise<BrowserChoice> {
  const kind = wantedKind(options);
  const problems = new Set(broken);
  for (const { name, run } of installers(kind, options, machine)) {
    const failure = await run();
    options.signal?.throwIfAborted();
    // Even after a failure: Playwright fails for a missing ffmpeg when the browser itself is there already.
    const search = await searchBrowsers([kind], options, machine);
    if (search.choice !== null) return announced(search.choice, machine);
    const broke = search.broken.filter((line) => !problems.has(line));
    const reason = failure ?? broke[0] ?? 'it ended well, but no browser is where it should be';
    for (const problem of broke) problems.add(problem);
    problems.add(`${name}: ${reason}`);
    machine.say(`${name} did not give one: ${reason}`);
  }
  const what = kind === 'headless-shell' ? 'Chromium' : 'full Chromium (a window needs one)';
  throw new EnvironmentError(`no ${what} was found, and none could be installed`, {
    problems: [...problems],
    hint: `Install one (on Debian: apt-get install ${aptPackage(kind)}; elsewhere Google Chrome), or name one: QUALINET_BROWSER=/path/to/it`,
  });
}

interface Installer {
  name: string;
  /** Null when it went well, else why not. */
  run(): Promise<string | null>;
}

function installers(
  kind: BrowserKind,
  { home, signal }: GetBrowserOptions,
  machine: BrowserMachine,
): Installer[] {
  const playwright: Installer = {
    name: "Playwright's download",
    run: () => installPlaywrightBrowser(kind, machine, signal),
  };
  const apt: Installer = { name: 'apt-get', run: () => installAptBrowser(kind, machine, signal) };
  const npm: Installer = { name: 'npm', run: () => installNpmBrowser(home, machine, signal) };
  return kind === 'headless-shell' ? [playwright, apt, npm] : [playwright, apt];
}

function announced(choice: BrowserChoice, machine: BrowserMachine): BrowserChoice {
  const version = choice.version === undefined ? '' : ` ${choice.version}`;
  machine.say(`browser: ${choice.path}${version} (${choice.why})`);
  if (choice.warning !== undefined) machine.say(`warning: ${choice.warning}`);
  return choice;
}

function wantedKind({ headed }: FindBrowserOptions): BrowserKind {
  return headed ? 'chromium' : 'headless-shell';
}
