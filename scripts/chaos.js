// npm run chaos: prepares a fresh clone, then breaks the system in random schedules (test/scenario/chaos). --help says more.
import { bundle } from './build.js';
import { buildPrograms, installPackages, provideBrowser, provideServers } from './prepare.js';

installPackages();
await buildPrograms();
provideServers();
await bundle('chaos', 'test/scenario/chaos/main.ts', { packages: 'external' });
process.env.QUALINET_TEST_BROWSER ??= provideBrowser();
const { main } = await import('../dist/chaos/main.js');
process.exit(await main());
