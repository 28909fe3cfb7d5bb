#!/usr/bin/env node
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`qualinet-bridge needs Node.js 20.19 or newer; this is ${process.version}.`);
  process.exit(78);
}
const { main } = await import('../dist/bridge/main.js');
await main();
