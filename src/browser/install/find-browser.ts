import { realpath, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { EnvironmentError } from '../../lib/errors.ts';
import {
  type BrowserDeps,
  type BrowserKind,
  type BrowserMachine,
  browserMachine,
  type Environment,
  isExecutableFile,
} from './browser-machine.ts';
import { type BrowserCheck, checkBrowser } from './check-browser.ts';
import { installedBrowsers } from './installed-browsers.ts';
import { npmBrowserDanger, npmBrowserEnvs, npmBrowserPath } from './npm-browser.ts';
import { playwrightBrowserPath } from './playwright-browser.ts';

/** A Chromium to use and why. */
export interface BrowserChoice {
  /** Absolute path of the executable. */
  path: string;
  kind: BrowserKind;
  source: 'environment' | 'playwright' | 'installed' | 'npm';
  /** Why this one, for people: "installed headless shell". */
  why: string;
  /** Version it gave; absent where it is not asked (Windows). */
  version?: string;
  /** What would be better and how to get it. */
  warning?: string;
  /** What the browser needs in its environment besides what the program has. */
  env?: Record<string, string>;
}

/** What to look for and where. */
export interface FindBrowserOptions {
  /** QUALINET_BROWSER or --browser: this one and no other. */
  browserPath?: string | undefined;
  /** The runner's home; an npm browser lives in `<home>/browser`. */
  home: string;
  /** A window is wanted: headless shells are out. */
  headed?: boolean | undefined;
  env: Environment;
}

/** What looking among the browsers of a machine gave. */
export interface BrowserSearch {
  choice: BrowserChoice | null;
  /** Browsers that are there but cannot be used, one line each. */
  broken: string[];
}

/**
 * The best Chromium that is there and starts, or null. Order: the one named; Playwright's own headless shell; an
 * installed headless shell; the one from npm; then full Chromium and Chrome, with a warning.
 * Throws EnvironmentError when the named one cannot be used: another is never taken in its place.
 */
export async function findBrowser(
  options: FindBrowserOptions,
  deps: BrowserDeps = {},
): Promise<BrowserChoice | null> {
  const machine = browserMachine(options.env, deps);
  if (options.browserPath) return namedBrowser(options.browserPath, options, machine);
  const kinds: BrowserKind[] = options.headed ? ['chromium'] : ['headless-shell', 'chromium'];
  return (await searchBrowsers(kinds, options, machine)).choice;
}

/** The first browser of these kinds that starts, kinds in order, with what was passed over. */
export async function searchBrowsers(
  kinds: readonly BrowserKind[],
  { home, headed }: FindBrowserOptions,
  machine: BrowserMachine,
): Promise<BrowserSearch> {
  const broken: string[] = [];
  for (const kind of kinds) {
    for (const candidate of await candidates(kind, home, machine)) {
      const tried = await tryCandidate(candidate, machine);
      if (typeof tried === 'string') {
        broken.push(`${candidate.path} is there but cannot be used: ${tried}`);
        machine.say(`${candidate.path} is there but cannot be used: ${tried}`);
        continue;
      }
      const choice = kind === 'chromium' && !headed ? { ...tried, warning: fullBrowserWarning } : tried;
      return { choice, broken };
    }
  }
  return { choice: null, broken };
}

/**
 * The browser somebody named. Throws EnvironmentError with the system's own words when it is missing, cannot be
 * executed, does not start, is no Chromium, or has no window where one is wanted.
 */
export async function namedBrowser(
  named: string,
  { headed }: FindBrowserOptions,
  machine: BrowserMachine,
): Promise<BrowserChoice> {
  const path = resolve(named);
  const refuse = (problem: string): never => {
    throw new EnvironmentError(`QUALINET_BROWSER or --browser names ${path}, but ${problem}`, {
      hint: 'Correct QUALINET_BROWSER (or --browser), or leave it out and a Chromium is looked for.',
    });
  };
  if (!(await isExecutableFile(path))) {
    const entry = await stat(path).catch(() => null);
    if (entry === null) refuse('there is no such file');
    refuse(entry?.isFile() ? 'it may not be executed' : 'it is not a file');
  }
  const check = await checkBrowser(path, {}, machine);
  if (!check.starts) return refuse(`it does not start: ${check.reason}`);
  const kind = await kindOf(path);
  if (headed && kind === 'headless-shell') refuse('that is a headless shell, which has no window to show');
  return {
    path,
    kind,
    source: 'environment',
    why: 'QUALINET_BROWSER or --browser names it',
    ...versionOf(check),
  };
}

const fullBrowserWarning =
  'the headless shell runs flows twice as fast in half the memory; install it with: qualinet install-browser';

interface Candidate {
  path: string;
  kind: BrowserKind;
  source: BrowserChoice['source'];
  why: string;
}

async function candidates(kind: BrowserKind, home: string, machine: BrowserMachine): Promise<Candidate[]> {
  const what = kind === 'headless-shell' ? 'headless shell' : 'Chromium or Chrome';
  const own = await playwrightBrowserPath(kind, machine);
  const found: Candidate[] = [];
  if (own !== null) found.push({ path: own, kind, source: 'playwright', why: `Playwright's own ${what}` });
  for (const path of await installedBrowsers(kind, machine)) {
    found.push({ path, kind, source: 'installed', why: `installed ${what}` });
  }
  const fromNpm = npmBrowserPath(home, machine.npmPackage);
  if (kind === 'headless-shell' && (await isExecutableFile(fromNpm))) {
    found.push({
      path: fromNpm,
      kind,
      source: 'npm',
      why: `headless shell from npm's ${machine.npmPackage.name}`,
    });
  }
  return found;
}

async function tryCandidate(candidate: Candidate, machine: BrowserMachine): Promise<BrowserChoice | string> {
  const isNpm = candidate.source === 'npm';
  const danger = isNpm ? await npmBrowserDanger(candidate.path, machine) : null;
  if (danger !== null) return danger;
  let reason = '';
  for (const env of isNpm ? npmBrowserEnvs(candidate.path, machine) : [{}]) {
    const check = await checkBrowser(candidate.path, env, machine);
    if (check.starts) return { ...candidate, ...versionOf(check), ...(isNpm ? { env } : {}) };
    reason = check.reason;
  }
  return reason;
}

function versionOf(check: BrowserCheck & { starts: true }): { version?: string } {
  return check.version === null ? {} : { version: check.version };
}

async function kindOf(path: string): Promise<BrowserKind> {
  const names = [basename(path), basename(await realpath(path))];
  return names.some((name) => /headless[-_]?shell/i.test(name)) ? 'headless-shell' : 'chromium';
}
