#!/usr/bin/env node
import { readFileSync } from 'node:fs';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`qualinet needs Node.js 20.19 or newer; this is ${process.version}.`);
  process.exit(78);
}
const [asked, ...more] = process.argv.slice(2);
if ((asked === '--version' || asked === '-v') && more.length === 0) {
  // Scripts ask for it often; reading the whole program would take twice the time.
  process.stdout.on('error', () => {});
  console.log(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version);
} else {
  const { main } = await import('../dist/runner/main.js');
  await main();
}
