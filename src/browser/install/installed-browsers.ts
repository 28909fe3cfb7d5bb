import { realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type BrowserKind, type BrowserMachine, isExecutableFile, onPath } from './browser-machine.ts';

/**
 * Browsers of one kind that were installed on the machine, best first. Known paths of real binaries come before
 * whatever PATH holds, because `/usr/bin/chromium` and its like are shell wrappers that only cost time.
 */
export async function installedBrowsers(kind: BrowserKind, machine: BrowserMachine): Promise<string[]> {
  const known = knownPaths(kind, machine);
  const isThere = await Promise.all(known.map(isExecutableFile));
  const named = await Promise.all(namesOnPath(kind, machine).map((name) => onPath(machine, name)));
  const candidates = [...known.filter((_, index) => isThere[index]), ...named.flat()];
  const usable = await Promise.all(candidates.map(async (path) => !(await isSnap(path))));
  return [...new Set(candidates.filter((_, index) => usable[index]))];
}

function knownPaths(kind: BrowserKind, machine: BrowserMachine): string[] {
  if (machine.platform === 'win32') return kind === 'chromium' ? windowsPaths(machine) : [];
  if (machine.platform === 'darwin') return kind === 'chromium' ? macPaths(machine) : [];
  const paths =
    kind === 'headless-shell'
      ? [
          '/usr/lib/chromium/chromium-headless-shell',
          '/usr/lib/chromium-browser/chromium-headless-shell',
          '/usr/lib64/chromium-browser/headless_shell',
          '/usr/lib/chromium-browser/headless_shell',
          '/opt/chrome-headless-shell/chrome-headless-shell',
        ]
      : [
          '/opt/google/chrome/chrome',
          '/usr/lib/chromium/chromium',
          '/usr/lib/chromium-browser/chromium-browser',
          '/usr/lib64/chromium-browser/chromium-browser',
          '/usr/lib/chromium/chrome',
          '/opt/microsoft/msedge/msedge',
        ];
  return paths.map((path) => machine.place(path));
}

function macPaths(machine: BrowserMachine): string[] {
  const folders = [machine.place('/Applications'), join(machine.userHome, 'Applications')];
  const names = ['Google Chrome', 'Chromium', 'Microsoft Edge'];
  return names.flatMap((name) =>
    folders.map((folder) => join(folder, `${name}.app`, 'Contents', 'MacOS', name)),
  );
}

function windowsPaths({ variable }: BrowserMachine): string[] {
  const folders = ['ProgramFiles', 'ProgramFiles(x86)', 'LOCALAPPDATA']
    .map(variable)
    .filter((folder) => folder !== null);
  const inFolder = [
    ['Google', 'Chrome', 'Application', 'chrome.exe'],
    ['Chromium', 'Application', 'chrome.exe'],
    ['Microsoft', 'Edge', 'Application', 'msedge.exe'],
  ];
  return inFolder.flatMap((parts) => folders.map((folder) => join(folder, ...parts)));
}

function namesOnPath(kind: BrowserKind, machine: BrowserMachine): string[] {
  const names =
    kind === 'headless-shell'
      ? ['chromium-headless-shell', 'chrome-headless-shell', 'headless_shell']
      : ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser', 'microsoft-edge'];
  return machine.platform === 'win32' ? names.map((name) => `${name}.exe`) : names;
}

// A snap has a /tmp of its own and does not see the profile folder Playwright makes for it there.
async function isSnap(path: string): Promise<boolean> {
  const real = await realpath(path).catch(() => path);
  return basename(real) === 'snap' || path.startsWith('/snap/');
}
