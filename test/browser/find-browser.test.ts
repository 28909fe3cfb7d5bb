import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findBrowser } from '../../src/browser/install/find-browser.ts';
import { npmBrowserPackage } from '../../src/browser/install/npm-browser-package.ts';
import { EnvironmentError } from '../../src/lib/errors.ts';
import {
  type FakeMachine,
  fakeMachine,
  lacksLibraryScript,
  putSnap,
  startsScript,
} from './fake-browser-machine.ts';

let machine: FakeMachine;
beforeEach(async () => {
  machine = await fakeMachine();
});
afterEach(() => machine.remove());

const find = (options: { browserPath?: string; headed?: boolean } = {}) =>
  findBrowser({ home: machine.home, env: machine.env, ...options }, machine.deps);

const npmFolder = () => join(machine.home, 'browser', `chromium-${npmBrowserPackage.version}`);
async function putNpm(script: string): Promise<string> {
  await mkdir(npmFolder(), { recursive: true, mode: 0o700 });
  const path = join(npmFolder(), 'chromium');
  await writeFile(path, script, { mode: 0o700 });
  return path;
}

describe('the order of finding', () => {
  it('is: Playwright, installed headless shell, npm, then full browsers', async () => {
    const inOrder = [
      await machine.putPlaywright(startsScript),
      await machine.put('/usr/lib/chromium/chromium-headless-shell', startsScript),
      await putNpm(startsScript),
      await machine.putPlaywright(startsScript, { kind: 'full' }),
      await machine.put('/opt/google/chrome/chrome', startsScript),
      await machine.put('/usr/lib/chromium/chromium', startsScript),
    ];
    const found: string[] = [];
    for (let choice = await find(); choice !== null; choice = await find()) {
      found.push(choice.path);
      await rm(choice.path);
    }
    expect(found).toEqual(inOrder);
  });

  it('takes the one that is named before all others', async () => {
    await machine.putPlaywright(startsScript);
    const path = await machine.put('/opt/mine/chrome', startsScript);
    expect(await find({ browserPath: path })).toEqual({
      path,
      kind: 'chromium',
      source: 'environment',
      why: 'QUALINET_BROWSER or --browser names it',
      version: '156.0.8078.79',
    });
  });

  it('gives null on a machine without any', async () => {
    expect(await find()).toBeNull();
    expect(machine.said).toEqual([]);
  });

  it('takes real binaries before the wrappers on PATH, and a wrapper where there is nothing else', async () => {
    const wrapper = await machine.putOnPath('chromium-headless-shell', startsScript);
    expect((await find())?.path).toBe(wrapper);
    const binary = await machine.put('/usr/lib/chromium/chromium-headless-shell', startsScript);
    expect((await find())?.path).toBe(binary);
  });

  it('leaves out snaps and relative entries of PATH', async () => {
    await putSnap(machine, 'chromium');
    machine.env.PATH = `${machine.bin}:relative:`;
    expect(await find()).toBeNull();
  });
});

describe('a full browser', () => {
  it('comes with a warning that says what a headless shell would bring', async () => {
    await machine.put('/opt/google/chrome/chrome', startsScript);
    const choice = await find();
    expect(choice).toMatchObject({ kind: 'chromium', source: 'installed' });
    expect(choice?.warning).toMatch(/twice as fast.*qualinet install-browser/);
  });

  it('is what a window needs: headless shells are passed over and there is no warning', async () => {
    await machine.putPlaywright(startsScript);
    await machine.put('/usr/lib/chromium/chromium-headless-shell', startsScript);
    expect(await find({ headed: true })).toBeNull();
    const chrome = await machine.put('/opt/google/chrome/chrome', startsScript);
    const choice = await find({ headed: true });
    expect(choice?.path).toBe(chrome);
    expect(choice?.warning).toBeUndefined();
  });

  it('is found where macOS and Windows keep it', async () => {
    machine.deps.platform = 'darwin';
    const mac = await machine.put('/Applications/Chromium.app/Contents/MacOS/Chromium', startsScript);
    expect((await find())?.path).toBe(mac);

    machine.deps.platform = 'win32';
    machine.env.ProgramFiles = join(machine.folder, 'Programs');
    const windows = join(machine.env.ProgramFiles, 'Google', 'Chrome', 'Application', 'chrome.exe');
    await mkdir(dirname(windows), { recursive: true });
    await writeFile(windows, 'never started here', { mode: 0o755 });
    expect((await find())?.path).toBe(windows);
  });
});

describe("Playwright's own browser", () => {
  it('is left alone when it is of another revision or was not downloaded completely', async () => {
    await machine.putPlaywright(startsScript, { revision: '1100' });
    expect(await find()).toBeNull();
    const path = await machine.putPlaywright(startsScript);
    expect((await find())?.source).toBe('playwright');
    await rm(join(path, '..', '..', 'INSTALLATION_COMPLETE'));
    expect(await find()).toBeNull();
  });

  it('is looked for where PLAYWRIGHT_BROWSERS_PATH says', async () => {
    const path = await machine.putPlaywright(startsScript);
    machine.env.PLAYWRIGHT_BROWSERS_PATH = join(machine.folder, 'elsewhere');
    expect(await find()).toBeNull();
    machine.env.PLAYWRIGHT_BROWSERS_PATH = join(machine.folder, 'user', '.cache', 'ms-playwright');
    machine.deps.userHome = '/nowhere';
    expect((await find())?.path).toBe(path);
  });
});

describe('a browser that cannot be used', () => {
  it('is said with its reason and passed over', async () => {
    const broken = await machine.putPlaywright(lacksLibraryScript);
    const works = await machine.put('/usr/lib/chromium/chromium-headless-shell', startsScript);
    expect((await find())?.path).toBe(works);
    expect(machine.said).toHaveLength(1);
    expect(machine.said[0]).toContain(broken);
    expect(machine.said[0]).toContain('libnss3.so');
  });

  it('is given up when it does not answer in time', async () => {
    await machine.putPlaywright('#!/bin/sh\nexec /bin/sleep 60\n');
    machine.deps.limits = { checkMs: 200 };
    expect(await find()).toBeNull();
    expect(machine.said[0]).toContain('took longer than');
  });
});

describe('a named browser that cannot be used', () => {
  const refused = async (browserPath: string, headed = false): Promise<EnvironmentError> => {
    await machine.put('/usr/lib/chromium/chromium-headless-shell', startsScript);
    await machine.put('/opt/google/chrome/chrome', startsScript);
    const error: unknown = await find({ browserPath, headed }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EnvironmentError);
    return error as EnvironmentError;
  };

  it('is an error that names QUALINET_BROWSER, never a silent other choice', async () => {
    const error = await refused('/nowhere/chrome');
    expect(error.message).toBe(
      'QUALINET_BROWSER or --browser names /nowhere/chrome, but there is no such file',
    );
    expect(error.hint).toContain('QUALINET_BROWSER');
  });

  it('tells a folder and a file without the right to execute apart', async () => {
    expect((await refused(machine.bin)).message).toContain('is not a file');
    const path = await machine.put('/opt/mine/chrome', startsScript);
    await chmod(path, 0o644);
    expect((await refused(path)).message).toContain('may not be executed');
  });

  it('repeats what the loader said', async () => {
    const path = await machine.put('/opt/mine/chrome', lacksLibraryScript);
    expect((await refused(path)).message).toContain('error while loading shared libraries: libnss3.so');
  });

  it('is refused when it is another program', async () => {
    const path = await machine.put('/opt/mine/chrome', '#!/bin/sh\necho v20.20.2\n');
    expect((await refused(path)).message).toContain('no Chromium: its --version says "v20.20.2"');
  });

  it('is refused when a window is wanted from a headless shell', async () => {
    const path = await machine.put('/opt/mine/chrome-headless-shell', startsScript);
    expect((await refused(path, true)).message).toContain('no window');
  });
});

describe("npm's browser", () => {
  it('brings its fonts, and its libraries only where the system has none', async () => {
    await putNpm(startsScript);
    expect((await find())?.env).toEqual({ FONTCONFIG_FILE: join(npmFolder(), 'fonts.conf') });
    await putNpm(`#!/bin/sh\n[ -n "$LD_LIBRARY_PATH" ] || exit 127\necho "Chromium 147.0.7727.0"\n`);
    machine.env.LD_LIBRARY_PATH = '';
    expect((await find())?.env).toEqual({
      FONTCONFIG_FILE: join(npmFolder(), 'fonts.conf'),
      LD_LIBRARY_PATH: join(npmFolder(), 'lib'),
    });
  });

  it('is not started when other users can change it', async () => {
    const path = await putNpm(startsScript);
    for (const entry of [path, npmFolder(), join(machine.home, 'browser')]) {
      await chmod(entry, 0o777);
      expect(await find()).toBeNull();
      expect(machine.said.at(-1)).toContain(`${entry} can be changed by other users`);
      await chmod(entry, 0o700);
    }
    expect((await find())?.path).toBe(path);
  });
});
