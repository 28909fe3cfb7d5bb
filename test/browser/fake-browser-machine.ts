import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { BrowserDeps } from '../../src/browser/install/browser-machine.ts';

/** A Linux machine in a temporary folder: browsers and installers on it are small shell scripts. */
export interface FakeMachine {
  folder: string;
  home: string;
  /** The one folder on its PATH. */
  bin: string;
  env: Record<string, string>;
  said: string[];
  deps: BrowserDeps;
  /** Writes an executable below the machine's root and returns its real path. */
  put(path: string, script: string): Promise<string>;
  /** Writes an executable on PATH. */
  putOnPath(name: string, script: string): Promise<string>;
  /** A complete browser in Playwright's cache. */
  putPlaywright(script: string, options?: { revision?: string; kind?: 'shell' | 'full' }): Promise<string>;
  /** The program behind `playwright install`; `CACHE` in it is Playwright's cache. */
  putPlaywrightInstaller(source: string): Promise<void>;
  /** What fake installers noted by `note` (shell) or `note()` (Playwright's), one line a call. */
  notes(): Promise<string[]>;
  remove(): Promise<void>;
}

export const startsScript = '#!/bin/sh\necho "Chromium 156.0.8078.79"\n';
export const lacksLibraryScript =
  '#!/bin/sh\necho "$0: error while loading shared libraries: libnss3.so: cannot open shared object file" >&2\nexit 127\n';
const revision = '1255';

export async function fakeMachine(): Promise<FakeMachine> {
  const folder = await mkdtemp(join(tmpdir(), 'qualinet-browser-test-'));
  const within = (...parts: string[]): string => join(folder, ...parts);
  const bin = within('bin');
  const notesFile = within('notes');
  const said: string[] = [];
  const put = async (path: string, script: string): Promise<string> => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, script.replaceAll('NOTES', notesFile));
    await chmod(path, 0o755);
    return path;
  };
  await put(
    within('playwright', 'browsers.json'),
    JSON.stringify({
      browsers: [
        { name: 'chromium', revision },
        { name: 'chromium-headless-shell', revision },
      ],
    }),
  );
  await put(
    within('playwright', 'cli.js'),
    'console.error("Error: getaddrinfo ENOTFOUND downloads.test");process.exit(1)',
  );
  await mkdir(bin);
  return {
    folder,
    home: within('home'),
    bin,
    env: { PATH: bin },
    said,
    deps: {
      say: (line) => said.push(line),
      platform: 'linux',
      arch: 'x64',
      root: within('root'),
      userHome: within('user'),
      playwrightFolder: within('playwright'),
    },
    put: (path, script) => put(within('root', path), script),
    putOnPath: (name, script) => put(join(bin, name), script),
    async putPlaywright(script, { revision: own = revision, kind = 'shell' } = {}) {
      const name = kind === 'shell' ? 'chromium_headless_shell' : 'chromium';
      const inFolder =
        kind === 'shell' ? 'chrome-headless-shell-linux64/chrome-headless-shell' : 'chrome-linux64/chrome';
      const cached = within('user', '.cache', 'ms-playwright', `${name}-${own}`);
      const path = await put(join(cached, inFolder), script);
      await writeFile(join(cached, 'INSTALLATION_COMPLETE'), '');
      return path;
    },
    async putPlaywrightInstaller(source) {
      const prelude = `const fs = require('node:fs'); const CACHE = ${JSON.stringify(within('user', '.cache', 'ms-playwright'))};
const note = () => fs.appendFileSync('NOTES', 'playwright ' + process.argv.slice(2).join(' ') + '\\n');\n`;
      await put(within('playwright', 'cli.js'), prelude + source);
    },
    async notes() {
      const text = await readFile(notesFile, 'utf8').catch(() => '');
      return text.split('\n').filter((line) => line !== '');
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A .tgz of the shape of npm's @sparticuz/chromium, with its integrity. */
export function browserPackage(
  binary: string,
  libraries: Record<string, string> = { 'lib/libnss3.so': 'nss' },
): { tgz: Buffer; integrity: string } {
  const tgz = gzipSync(
    tar({
      'package/package.json': '{}',
      'package/bin/chromium.br': brotliCompressSync(binary),
      'package/bin/fonts.tar.br': brotliCompressSync(
        tar({ 'fonts.conf': 'planted', 'fonts/Open_Sans/Regular.ttf': 'font' }),
      ),
      'package/bin/al2023.tar.br': brotliCompressSync(tar(libraries)),
      'package/bin/swiftshader.tar.br': brotliCompressSync(tar({ 'libEGL.so': 'egl' })),
    }),
  );
  return { tgz, integrity: `sha512-${createHash('sha512').update(tgz).digest('base64')}` };
}

export async function putSnap(machine: FakeMachine, name: string): Promise<void> {
  const snap = await machine.put('/usr/bin/snap', startsScript);
  await symlink(snap, join(machine.bin, name));
}

function tar(files: Record<string, string | Buffer>): Buffer {
  const blocks = Object.entries(files).flatMap(([path, content]) => {
    const data = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(path, 0);
    header.write('0000644\0', 100);
    header.write(`${data.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('0', 156);
    header.write('ustar\0', 257);
    return [header, data, Buffer.alloc((512 - (data.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
