import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { npmBrowserPackage, type PinnedPackage } from './npm-browser-package.ts';

/** A headless shell has no window and no browser interface: it runs flows twice as fast in half the memory. */
export type BrowserKind = 'headless-shell' | 'chromium';

/** Environment variables as a program was given them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What tests replace; everything left out is taken from the real machine. */
export interface BrowserDeps {
  /** Hears, line by line, what is tried and why (a command prints it on stderr). Nothing is said without it. */
  say?: (line: string) => void;
  /** Called while a browser is asked for its version: what has to be done anyway costs no time then. */
  meanwhile?: () => void;
  platform?: NodeJS.Platform;
  arch?: string;
  /** Null where the system has no user ids. */
  uid?: number | null;
  /** Folder that stands for `/`: well-known paths are looked up below it. */
  root?: string;
  userHome?: string;
  /** Folder of the package playwright-core. */
  playwrightFolder?: string;
  limits?: Partial<BrowserLimits>;
  npmPackage?: PinnedPackage;
}

/** Upper limits of what finding and getting a browser may take, in milliseconds. */
interface BrowserLimits {
  /** One `--version` of a browser. A cold 200 MB binary on a busy disk takes seconds. */
  checkMs: number;
  /** Playwright's download of about 110 MB. */
  playwrightMs: number;
  /** Silence after which one connection of a download is given up. */
  silenceMs: number;
  aptMs: number;
  npmMs: number;
}

/** The machine a browser is looked for on. */
export interface BrowserMachine {
  env: Environment;
  /** One environment variable; names have no case on Windows. Null when it is not set or empty. */
  variable(name: string): string | null;
  /** Says every line once. */
  say(line: string): void;
  meanwhile(): void;
  platform: NodeJS.Platform;
  arch: string;
  uid: number | null;
  userHome: string;
  playwrightFolder: string;
  limits: BrowserLimits;
  npmPackage: PinnedPackage;
  /** A well-known absolute path on this machine. */
  place(path: string): string;
}

const defaultLimits: BrowserLimits = {
  checkMs: 10_000,
  playwrightMs: 600_000,
  silenceMs: 15_000,
  aptMs: 600_000,
  npmMs: 300_000,
};

/** The real machine, with whatever `deps` replaces. */
export function browserMachine(env: Environment, deps: BrowserDeps = {}): BrowserMachine {
  const said = new Set<string>();
  const root = deps.root ?? '/';
  const platform = deps.platform ?? process.platform;
  const isNamed = (name: string) => (key: string) =>
    platform === 'win32' ? key.toUpperCase() === name.toUpperCase() : key === name;
  return {
    env,
    variable(name) {
      const key = Object.keys(env).find(isNamed(name));
      return (key === undefined ? undefined : env[key]) || null;
    },
    say(line) {
      if (said.has(line)) return;
      said.add(line);
      deps.say?.(line);
    },
    meanwhile: () => deps.meanwhile?.(),
    platform,
    arch: deps.arch ?? process.arch,
    uid: deps.uid === undefined ? (process.getuid?.() ?? null) : deps.uid,
    userHome: deps.userHome ?? homedir(),
    playwrightFolder: deps.playwrightFolder ?? playwrightCoreFolder(),
    limits: { ...defaultLimits, ...deps.limits },
    npmPackage: deps.npmPackage ?? npmBrowserPackage,
    place: (path) => (root === '/' ? path : join(root, path)),
  };
}

/** Whether `path` is a plain file this process may execute. */
export async function isExecutableFile(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Every executable `name` on PATH, first match first; relative entries of PATH are left out. */
export async function onPath(machine: BrowserMachine, name: string): Promise<string[]> {
  const folders = (machine.variable('PATH') ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  const paths = folders.map((folder) => join(folder, name));
  const found = await Promise.all(paths.map(isExecutableFile));
  return paths.filter((_, index) => found[index]);
}

// Resolving reads one package.json; loading playwright-core itself would cost a quarter of a second.
function playwrightCoreFolder(): string {
  return dirname(createRequire(import.meta.url).resolve('playwright-core/package.json'));
}
