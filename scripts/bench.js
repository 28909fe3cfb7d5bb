// npm run bench: prepares a fresh clone, then prints the figures of docs/benchmarks.md as ratios against peers of the same run.
import { bundle } from './build.js';
import { buildPrograms, installPackages, provideBrowser, providePeers, provideServers } from './prepare.js';

installPackages();
await buildPrograms();
provideServers();
await bundle('bench', 'test/bench/main.ts', {
  beside: {
    'simulated-fleet': 'test/bench/simulated-fleet.ts',
    'original-worker': 'test/bench/original-worker.ts',
  },
});
process.env.QUALINET_BROWSER ??= provideBrowser();
const named = process.argv.slice(2);
const needsPeers = named.length === 0 || ['engine', 'verdicts'].some((part) => named.includes(part));
if (needsPeers) process.env.QUALINET_BENCH_PEERS ??= providePeers();
const { main } = await import('../dist/bench/main.js');
await main();
