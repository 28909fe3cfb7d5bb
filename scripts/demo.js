// npm run demo: prepares a fresh clone, then shows one run that passes and one that fails, with separate real processes.
import { buildPrograms, installPackages, provideBrowser } from './prepare.js';

installPackages();
await buildPrograms();
process.env.QUALINET_BROWSER ??= provideBrowser();
const { main } = await import('../dist/demo/main.js');
await main();
