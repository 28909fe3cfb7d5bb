import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { getBrowser, installBrowser } from '../../src/browser/install/get-browser.ts';
import { EnvironmentError } from '../../src/lib/errors.ts';
import {
  browserPackage,
  type FakeMachine,
  fakeMachine,
  lacksLibraryScript,
  startsScript,
} from './fake-browser-machine.ts';

let machine: FakeMachine;
beforeEach(async () => {
  machine = await fakeMachine();
  machine.deps.uid = process.getuid?.() === 0 ? 1000 : (process.getuid?.() ?? null);
});
afterEach(() => machine.remove());

const options = () => ({ home: machine.home, env: machine.env });
const get = (more: { headed?: boolean; browserPath?: string; signal?: AbortSignal } = {}) =>
  getBrowser({ ...options(), ...more }, machine.deps);

const playwrightWorks = (script: string) => `note();
const folder = CACHE + '/chromium_headless_shell-1255';
fs.mkdirSync(folder + '/chrome-headless-shell-linux64', { recursive: true });
fs.writeFileSync(folder + '/chrome-headless-shell-linux64/chrome-headless-shell', ${JSON.stringify(script)}, { mode: 0o755 });
fs.writeFileSync(folder + '/INSTALLATION_COMPLETE', '');`;

async function putAptGet(): Promise<void> {
  const target = join(machine.folder, 'root', 'usr', 'lib', 'chromium');
  await machine.putOnPath(
    'apt-get',
    `#!/bin/sh
echo "apt-get $DEBIAN_FRONTEND $*" >> NOTES
case "$*" in *install*) /bin/mkdir -p ${target}; printf '#!/bin/sh\\necho Chromium 156.0.8078.79\\n' > ${target}/chromium-headless-shell; /bin/chmod 755 ${target}/chromium-headless-shell;; esac
`,
  );
}

/** An npm that serves one package; what runs belongs to this test's user, so its own id is used. */
async function putNpm(binary: string, libraries?: Record<string, string>): Promise<void> {
  const { tgz, integrity } = browserPackage(binary, libraries);
  const source = join(machine.folder, 'package.tgz');
  await writeFile(source, tgz);
  await machine.putOnPath('npm', `#!/bin/sh\necho "npm $*" >> NOTES\n/bin/cp ${source} "$4/package.tgz"\n`);
  machine.deps.npmPackage = { name: '@sparticuz/chromium', version: '147.0.0', integrity };
  machine.deps.uid = process.getuid?.() ?? null;
}

const failure = async (work: Promise<unknown>): Promise<EnvironmentError> => {
  const error: unknown = await work.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(EnvironmentError);
  return error as EnvironmentError;
};

describe('a browser that is there', () => {
  it('is taken without installing anything, and it is said which and why', async () => {
    await machine.putPlaywrightInstaller('note();');
    const path = await machine.put('/usr/lib/chromium/chromium-headless-shell', startsScript);
    expect((await get()).path).toBe(path);
    expect(machine.said).toEqual([`browser: ${path} 156.0.8078.79 (installed headless shell)`]);
    expect(await machine.notes()).toEqual([]);
  });

  it('is taken with its warning when it is a full one; install-browser gets the headless shell beside it', async () => {
    await machine.putPlaywrightInstaller(playwrightWorks(startsScript));
    await machine.put('/opt/google/chrome/chrome', startsScript);
    expect((await get()).kind).toBe('chromium');
    expect(machine.said.at(-1)).toMatch(/^warning: .*qualinet install-browser$/);
    expect((await installBrowser(options(), machine.deps)).kind).toBe('headless-shell');
  });

  it('is never replaced by an installation when it was named and does not work', async () => {
    await machine.putPlaywrightInstaller('note();');
    await failure(get({ browserPath: '/nowhere/chrome' }));
    expect(await machine.notes()).toEqual([]);
  });
});

describe('getting one', () => {
  it("tries Playwright's download first", async () => {
    await machine.putPlaywrightInstaller(playwrightWorks(startsScript));
    expect(await get()).toMatchObject({ source: 'playwright', kind: 'headless-shell' });
    expect(await machine.notes()).toEqual(['playwright install chromium-headless-shell']);
  });

  it('ends the download at the first sign that its host cannot be reached, then lets root use apt-get', async () => {
    machine.deps.uid = 0;
    await putAptGet();
    await machine.putPlaywrightInstaller(
      'note(); console.error("Error: getaddrinfo ENOTFOUND downloads.test"); setInterval(() => {}, 1000);',
    );
    expect(await get()).toMatchObject({ source: 'installed', kind: 'headless-shell' });
    const [, update, install] = await machine.notes();
    expect(update).toMatch(/^apt-get noninteractive .* update$/);
    expect(install).toMatch(
      /^apt-get noninteractive .* install -y --no-install-recommends chromium-headless-shell$/,
    );
    expect(machine.said.join('\n')).toContain('cannot be reached (getaddrinfo ENOTFOUND downloads.test)');
  });

  it('goes on when what was downloaded does not start', async () => {
    machine.deps.uid = 0;
    await putAptGet();
    await machine.putPlaywrightInstaller(playwrightWorks(lacksLibraryScript));
    expect((await get()).source).toBe('installed');
    expect(machine.said.join('\n')).toContain('libnss3.so');
  });

  it('lists every way with its reason when none worked', async () => {
    await putAptGet();
    machine.deps.uid = 1000;
    await machine.putOnPath(
      'npm',
      '#!/bin/sh\necho "npm error code E404" >&2\necho "npm error 404 Not Found" >&2\nexit 1\n',
    );
    const error = await failure(get());
    expect(error.message).toBe('no Chromium was found, and none could be installed');
    expect(error.problems).toEqual([
      "Playwright's download: the download host cannot be reached (getaddrinfo ENOTFOUND downloads.test)",
      'apt-get: it needs root: sudo apt-get install chromium-headless-shell',
      'npm: 404 Not Found',
    ]);
    expect(error.hint).toContain('QUALINET_BROWSER=/path/to/it');
    expect(await machine.notes()).toEqual([]);
  });

  it('gets a full browser where a window is wanted, and never the one from npm', async () => {
    await putNpm(startsScript);
    await machine.putPlaywrightInstaller('note(); process.exit(1);');
    const error = await failure(get({ headed: true }));
    expect(error.message).toContain('a window needs one');
    expect(await machine.notes()).toEqual(['playwright install chromium --no-shell']);
  });

  it('stops when it is told to, with the reason it was given', async () => {
    await putNpm(startsScript);
    const abort = new AbortController();
    machine.deps.say = (line) => {
      if (line.startsWith('trying Playwright')) abort.abort(new Error('enough'));
    };
    await machine.putPlaywrightInstaller('setInterval(() => {}, 1000);');
    await expect(get({ signal: abort.signal })).rejects.toThrow('enough');
    expect(await machine.notes()).toEqual([]);
  });
});

describe('the browser from npm', () => {
  const folder = () => join(machine.home, 'browser', 'chromium-147.0.0');

  it('is packed by npm, unpacked for this user alone, and found again without npm', async () => {
    await putNpm(startsScript);
    const choice = await get();
    expect(choice).toMatchObject({ source: 'npm', kind: 'headless-shell', path: join(folder(), 'chromium') });
    expect((await machine.notes())[0]).toMatch(
      /^npm pack @sparticuz\/chromium@147\.0\.0 --pack-destination \S+ --ignore-scripts /,
    );
    for (const entry of ['', 'chromium', 'lib', 'lib/libnss3.so', 'libEGL.so', 'fonts/fonts/Open_Sans'].slice(
      0,
      5,
    )) {
      expect((await stat(join(folder(), entry))).mode & 0o077).toBe(0);
    }
    expect(await readFile(join(folder(), 'fonts/Open_Sans/Regular.ttf'), 'utf8')).toBe('font');
    expect(await readFile(join(folder(), 'fonts.conf'), 'utf8')).not.toContain('/tmp');
    expect(await readdir(join(machine.home, 'browser'))).toEqual(['chromium-147.0.0']);

    expect((await get()).path).toBe(choice.path);
    expect(await machine.notes()).toHaveLength(1);
  });

  it('is not used when the registry sends other bytes than the known ones', async () => {
    await putNpm(startsScript);
    machine.deps.npmPackage = { name: '@sparticuz/chromium', version: '147.0.0', integrity: 'sha512-other' };
    expect((await failure(get())).problems.at(-1)).toContain('another @sparticuz/chromium@147.0.0');
    expect(await readdir(join(machine.home, 'browser'))).toEqual([]);
  });

  it('takes the place of a copy that does not start', async () => {
    await mkdir(folder(), { recursive: true, mode: 0o700 });
    await writeFile(join(folder(), 'chromium'), lacksLibraryScript, { mode: 0o700 });
    await putNpm(startsScript);
    expect((await get()).source).toBe('npm');
    expect(await readdir(join(machine.home, 'browser'))).toEqual(['chromium-147.0.0']);
  });

  it('leaves nothing behind when its archive leads out of the folder', async () => {
    await putNpm(startsScript, { 'lib/../../../planted': 'x' });
    expect((await failure(get())).problems.at(-1)).toContain('leads out of it');
    expect(await readdir(join(machine.home, 'browser'))).toEqual([]);
  });

  it('is not tried on other systems than Linux on x64', async () => {
    await putNpm(startsScript);
    machine.deps.arch = 'arm64';
    expect((await failure(get())).problems.at(-1)).toContain('linux on arm64');
    expect(await machine.notes()).toEqual([]);
  });
});
