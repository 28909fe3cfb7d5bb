// node scripts/record-wire.js: records what this version's runner says to a bridge, for test/protocol/released-runners.test.ts.
// Done once for each release, before its version changes.
import { join } from 'node:path';
import { bundle } from './build.js';
import { buildPrograms, installPackages, provideBrowser } from './prepare.js';

installPackages();
await buildPrograms();
await bundle('record-wire', 'test/support/record-wire.ts');
const { main } = await import('../dist/record-wire/main.js');
const folder = join(import.meta.dirname, '../test/protocol/released');
await main(folder, process.env.QUALINET_BROWSER ?? provideBrowser());
