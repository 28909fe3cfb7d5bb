import { readFile, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { trustInBrowser } from '../../src/browser/trusted-ca.ts';
import { launchBrowser } from '../../src/browser/warm-browser.ts';
import { parseCertificates } from '../../src/lib/certificates.ts';
import { silentLog } from '../../src/lib/log.ts';
import { keptLog } from '../agent/agent-fixture.ts';
import { makeAuthority, type TestAuthority } from '../support/test-authority.ts';
import { testBrowser } from '../support/test-browser.ts';

let authority: TestAuthority;
let stranger: TestAuthority;
beforeAll(async () => {
  authority = await makeAuthority();
  stranger = await makeAuthority('Somebody Else CA');
});
afterAll(async () => {
  await authority?.remove();
  await stranger?.remove();
});

async function site({ key, cert }: { key: string; cert: string }): Promise<string> {
  const server: Server = createServer({ key, cert }, (_request, response) => response.end('<h1>inside</h1>'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://localhost:${(server.address() as AddressInfo).port}/`;
}

/** What a Chromium that was given `certificateFile` says of each address: its heading, or the error. */
async function visit(certificateFile: string | null, addresses: readonly string[]): Promise<string[]> {
  const pem = certificateFile === null ? '' : await readFile(certificateFile, 'utf8');
  const certificates = pem === '' ? [] : parseCertificates(pem, Date.now());
  const { env } = process;
  const warm = await launchBrowser({ choice: await testBrowser(), log: silentLog, env, certificates });
  const { page, close } = await warm.newRun();
  const seen: string[] = [];
  for (const address of addresses) {
    seen.push(
      await page.goto(address).then(
        () => page.innerText('h1'),
        (error: Error) => /ERR_\w+/.exec(error.message)?.[0] ?? error.message,
      ),
    );
  }
  await close();
  await warm.close();
  return seen;
}

describe('a browser that is given certificates', () => {
  it('opens sites of that authority, still checks the host name, and takes nobody else’s', async () => {
    const own = await site(authority.server);
    const foreign = await site(stranger.server);
    const otherName = own.replace('localhost', 'other.localhost');
    expect(await visit(null, [own])).toEqual(['ERR_CERT_AUTHORITY_INVALID']);
    expect(await visit(authority.certificateFile, [own, foreign, otherName])).toEqual([
      'inside',
      'ERR_CERT_AUTHORITY_INVALID',
      'ERR_CERT_COMMON_NAME_INVALID',
    ]);
  });

  it('takes a certificate that names itself as itself', async () => {
    const own = await site(authority.selfSigned);
    expect(await visit(authority.selfSigned.certificateFile, [own])).toEqual(['inside']);
  });
});

describe('the home of such a browser', () => {
  const certificates = async () =>
    parseCertificates(await readFile(authority.certificateFile, 'utf8'), Date.now());

  it('is private, cannot be changed by the browser, and goes with it', async () => {
    const trust = await trustInBrowser(await certificates(), { env: process.env, log: silentLog });
    const home = trust.env['HOME'] ?? '';
    expect((await stat(home)).mode & 0o777).toBe(0o700);
    expect((await stat(join(home, '.pki/nssdb/cert9.db'))).mode & 0o777).toBe(0o400);
    await trust.remove();
    await expect(stat(home)).rejects.toThrow('ENOENT');
  });

  it('is not made where nothing is to be trusted', async () => {
    expect((await trustInBrowser([], { env: process.env, log: silentLog })).env).toEqual({});
  });

  it.each([
    ['without certutil', { PATH: '/nowhere' }, 'linux', 'apt install libnss3-tools'],
    ['on another system', {}, 'darwin', 'store of this system'],
  ] as const)('%s is not made, with a warning that says what to do', async (_name, env, platform, text) => {
    const log = keptLog();
    const trust = await trustInBrowser(await certificates(), { env, log, platform });
    expect(trust.env).toEqual({});
    expect(log.lines).toEqual([expect.stringMatching(new RegExp(`^warn: .*${text}`))]);
  });
});
