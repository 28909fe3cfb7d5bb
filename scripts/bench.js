// npm run bench: prepares a fresh clone, then prints the figures of docs/benchmarks.md as ratios against peers of the same run.
import { bundle } from './build.js';
import { buildPrograms, installPackages, provideBrowser } from './prepare.js';

installPackages();
await buildPrograms();
await bundle('bench', 'test/bench/main.ts');
process.env.QUALINET_BROWSER ??= provideBrowser();
const { main } = await import('../dist/bench/main.js');
await main();
