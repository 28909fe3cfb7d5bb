import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Certificate } from '../lib/certificates.ts';
import { EnvironmentError, errorText, systemErrorCode } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { Environment } from './install/browser-machine.ts';

/** What makes a Chromium trust more than its own list. */
export interface BrowserTrust {
  /** Laid over the environment that Chromium gets. */
  readonly env: Readonly<Record<string, string>>;
  /** Removes what was made for it, when no browser uses it any more. Never rejects. */
  remove(): Promise<void>;
}

/**
 * Makes Chromium trust `certificates` besides its own list. On Linux it reads them from the NSS database in its home, and there is
 * no other way that still checks the whole chain and host name: it gets a home of its own with such a database and nothing else.
 * Where that cannot be made, `log` gets a warning that says what to install, and pages of these authorities fail.
 * Throws EnvironmentError when the database cannot be written.
 */
export async function trustInBrowser(
  certificates: readonly Certificate[],
  {
    env,
    log,
    platform = process.platform,
  }: { env: Environment; log: Log; platform?: NodeJS.Platform | undefined },
): Promise<BrowserTrust> {
  if (certificates.length === 0) return nothing;
  if (platform !== 'linux') {
    log.warn(
      'Chromium takes certificates from the store of this system only: add those of --ca-file there, or pages with them are not trusted',
    );
    return nothing;
  }
  let home: string | null = null;
  const remove = async (): Promise<void> => {
    if (home !== null) await rm(home, { recursive: true, force: true }).catch(() => {});
  };
  try {
    home = await mkdtemp(join(tmpdir(), 'qualinet-trust-'));
    await fillDatabase(join(home, '.pki/nssdb'), certificates, env);
    await linkFonts(env['HOME'] ?? homedir(), home);
    return { env: { HOME: home }, remove };
  } catch (error) {
    await remove();
    if (systemErrorCode(error) !== 'ENOENT' || !errorText(error).includes('spawn')) {
      throw new EnvironmentError(`certificates cannot be given to the browser: ${errorText(error)}`, {
        cause: error,
      });
    }
    if (!warned.has(log)) {
      warned.add(log);
      log.warn(
        `the browser does NOT trust the certificates of --ca-file, because certutil is missing: ${howToInstall}`,
      );
    }
    return nothing;
  }
}

/** Whoever was told already: each browser of a life would say the same. */
const warned = new WeakSet<Log>();

/** What brings `certutil`, by system. */
const howToInstall = 'apt install libnss3-tools (Fedora, RHEL and Alpine: nss-tools)';

const nothing: BrowserTrust = { env: {}, remove: async () => {} };

/** Longest certutil may take for one certificate. */
const certutilMs = 10_000;

async function fillDatabase(folder: string, certificates: readonly Certificate[], env: Environment) {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const certutil = (...args: string[]) =>
    promisify(execFile)('certutil', [...args, '-d', `sql:${folder}`], {
      env: { PATH: env['PATH'] ?? '' },
      timeout: certutilMs,
    });
  await certutil('-N', '--empty-password');
  for (const [index, { pem, isAuthority }] of certificates.entries()) {
    const file = join(folder, 'next.pem');
    await writeFile(file, pem, { mode: 0o600 });
    // A server's own certificate issues nothing: it is trusted as itself.
    await certutil('-A', '-n', `extra ${index + 1}`, '-t', isAuthority ? 'C,,' : 'P,,', '-i', file);
    await rm(file);
  }
  // A page that takes Chromium over must not make the next run trust somebody else.
  for (const name of await readdir(folder)) await chmod(join(folder, name), 0o400);
}

/** Fonts that the user has installed look the same in pictures with and without a home of Chromium's own. */
async function linkFonts(from: string, home: string): Promise<void> {
  for (const path of ['.fonts', '.local/share/fonts', '.config/fontconfig']) {
    await mkdir(dirname(join(home, path)), { recursive: true, mode: 0o700 });
    await symlink(join(from, path), join(home, path));
  }
}
