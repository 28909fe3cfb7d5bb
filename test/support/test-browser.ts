import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type BrowserChoice, findBrowser } from '../../src/browser/install/find-browser.ts';

/** The Chromium the tests run on: the one the suite was prepared with, else the one a runner would find. */
export async function testBrowser(): Promise<BrowserChoice> {
  const path = process.env['QUALINET_TEST_BROWSER'] ?? debianShell;
  if (existsSync(path))
    return { path, kind: 'headless-shell', source: 'environment', why: 'the tests name it' };
  const found = await findBrowser({ home: join(homedir(), '.qualinet'), env: process.env });
  if (found === null) throw new Error('no Chromium was found; run the suite with: npm test');
  return found;
}

const debianShell = '/usr/lib/chromium/chromium-headless-shell';
