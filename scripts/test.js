// npm test: prepares a fresh clone, then runs the whole suite. Arguments go to vitest: npm test -- test/flow
import { buildPrograms, endWith, installPackages, provideBrowser, provideServers, tool } from './prepare.js';

installPackages();
await buildPrograms();
provideServers();
const browser = provideBrowser();
endWith(process.execPath, [tool('vitest/vitest.mjs'), 'run', ...process.argv.slice(2)], {
  QUALINET_TEST_BROWSER: browser,
});
