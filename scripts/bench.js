// npm run bench: prepares a fresh clone, then prints the figures of docs/benchmarks.md as ratios against peers of the same run.
import { buildPrograms, installPackages, provideBrowser } from './prepare.js';

installPackages();
await buildPrograms();
process.env.QUALINET_BROWSER ??= provideBrowser();
const { main } = await import('../dist/bench/main.js');
await main();
