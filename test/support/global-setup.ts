import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findBrowser } from '../../src/browser/install/find-browser.ts';
import { prepareDatabaseTemplate } from './database-template.ts';
import { startPostgres } from './postgres-server.ts';

/** Before the first test: the programs are built and there is a browser and a PostgreSQL for all files, or the suite ends here and says what to type. */
export async function setup(): Promise<() => Promise<void>> {
  const root = join(import.meta.dirname, '../..');
  if (!existsSync(join(root, 'dist/runner/main.js'))) throw new Error('dist/ is missing; run: npm run build');
  if (!process.env['QUALINET_TEST_BROWSER']) {
    const choice = await findBrowser({ home: join(homedir(), '.qualinet'), env: process.env });
    if (choice === null) throw new Error('no Chromium was found; run the suite with: npm test');
    process.env['QUALINET_TEST_BROWSER'] = choice.path;
  }
  const postgres = await startPostgres();
  process.env['QUALINET_TEST_POSTGRES'] = postgres.url;
  // Made once here rather than by the first files that need one, at the same time.
  await prepareDatabaseTemplate();
  return () => postgres.remove();
}
