// npm run check: everything that needs no browser and no server. All checks run, then the exit code says whether one failed.
import { spawnSync } from 'node:child_process';
import { buildPrograms, installPackages, say, tool } from './prepare.js';

installPackages();
await buildPrograms();

const checks = [
  ['format and lint', 'node_modules/.bin/biome', ['ci', '--error-on-warnings', '.']],
  ['types', 'node_modules/.bin/tsc', ['--noEmit']],
  ['dead code', 'node_modules/.bin/knip', []],
  [
    'architecture and documents',
    process.execPath,
    [tool('vitest/vitest.mjs'), 'run', '--config', 'vitest.check.config.ts'],
  ],
];

const failed = checks.filter(([name, command, args]) => {
  say(`\n== ${name}`);
  return spawnSync(command, args, { stdio: 'inherit' }).status !== 0;
});
say(failed.length === 0 ? '\nAll checks passed.' : `\nFailed: ${failed.map(([name]) => name).join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);
