import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type BrowserKind, type BrowserMachine, isExecutableFile } from './browser-machine.ts';
import { programFailure, runBrowserProgram } from './run-browser-program.ts';

/**
 * The browser of exactly this Playwright in Playwright's own cache, or null when it is not there completely.
 * Playwright itself is not loaded: the layout (revision in browsers.json, a marker file, one path for each platform)
 * is the one of playwright-core 1.65.
 */
export async function playwrightBrowserPath(
  kind: BrowserKind,
  machine: BrowserMachine,
): Promise<string | null> {
  const inFolder = pathsInFolder[kind][`${machine.platform}-${machine.arch}`];
  const name = kind === 'headless-shell' ? 'chromium-headless-shell' : 'chromium';
  const revision = await pinnedRevision(name, machine.playwrightFolder);
  if (inFolder === undefined || revision === null) return null;
  const folder = join(playwrightCache(machine), `${name.replaceAll('-', '_')}-${revision}`);
  const path = join(folder, ...inFolder);
  const isComplete = await readFile(join(folder, 'INSTALLATION_COMPLETE')).then(
    () => true,
    () => false,
  );
  return isComplete && (await isExecutableFile(path)) ? path : null;
}

/**
 * Lets Playwright download its browser. Null when the download ended well, else why not.
 * Playwright tries five times and waits 30 s each for a host that never answers; the first sign that the host cannot
 * be reached ends it here.
 */
export async function installPlaywrightBrowser(
  kind: BrowserKind,
  machine: BrowserMachine,
  signal?: AbortSignal,
): Promise<string | null> {
  const limitMs = machine.limits.playwrightMs;
  const cli = join(machine.playwrightFolder, 'cli.js');
  const what = kind === 'headless-shell' ? ['chromium-headless-shell'] : ['chromium', '--no-shell'];
  machine.say("trying Playwright's download (about 110 MB)");
  const end = await runBrowserProgram(process.execPath, [cli, 'install', ...what], {
    env: { PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: String(machine.limits.silenceMs), ...machine.env },
    limitMs,
    stopWhen: unreachable,
    signal,
  });
  if (end.how === 'exited' && end.code === 0) return null;
  if (end.how === 'stopped early') {
    return `the download host cannot be reached (${unreachable.exec(end.output)?.[0] ?? 'no connection'})`;
  }
  return programFailure(end, limitMs);
}

const unreachable =
  /getaddrinfo \w+ \S+|connect E\w+ \S+|tunneling socket could not be established[^\n]*|timed out after \d+ms|self.signed certificate|unable to (get|verify)[^\n]*certificate/;

const pathsInFolder: Record<BrowserKind, Readonly<Record<string, readonly string[]>>> = {
  'headless-shell': {
    'linux-x64': ['chrome-headless-shell-linux64', 'chrome-headless-shell'],
    'linux-arm64': ['chrome-headless-shell-linux-arm64', 'chrome-headless-shell'],
    'darwin-x64': ['chrome-headless-shell-mac-x64', 'chrome-headless-shell'],
    'darwin-arm64': ['chrome-headless-shell-mac-arm64', 'chrome-headless-shell'],
    'win32-x64': ['chrome-headless-shell-win64', 'chrome-headless-shell.exe'],
  },
  chromium: {
    'linux-x64': ['chrome-linux64', 'chrome'],
    'linux-arm64': ['chrome-linux-arm64', 'chrome'],
    'darwin-x64': ['chrome-mac-x64', ...macBundle('Google Chrome for Testing')],
    'darwin-arm64': ['chrome-mac-arm64', ...macBundle('Google Chrome for Testing')],
    'win32-x64': ['chrome-win64', 'chrome.exe'],
  },
};

function macBundle(name: string): string[] {
  return [`${name}.app`, 'Contents', 'MacOS', name];
}

function playwrightCache({ variable, platform, userHome, playwrightFolder }: BrowserMachine): string {
  const named = variable('PLAYWRIGHT_BROWSERS_PATH');
  if (named === '0') return join(playwrightFolder, '.local-browsers');
  if (named !== null) return resolve(variable('INIT_CWD') ?? '', named);
  const caches: Partial<Record<NodeJS.Platform, string>> = {
    darwin: join(userHome, 'Library', 'Caches'),
    win32: variable('LOCALAPPDATA') ?? join(userHome, 'AppData', 'Local'),
  };
  return join(caches[platform] ?? variable('XDG_CACHE_HOME') ?? join(userHome, '.cache'), 'ms-playwright');
}

async function pinnedRevision(name: string, playwrightFolder: string): Promise<string | null> {
  const text = await readFile(join(playwrightFolder, 'browsers.json'), 'utf8').catch(() => null);
  if (text === null) return null;
  const { browsers } = JSON.parse(text) as { browsers: { name: string; revision: string }[] };
  return browsers.find((browser) => browser.name === name)?.revision ?? null;
}
