import { lockHolder } from '../../lib/folder-lock.ts';
import { type Check, ok } from './check.ts';

export const runnerAtWork: Check = {
  name: 'runner',
  title: 'Runner at work',
  needs: ['home'],
  fix: 'qualinet status',
  async run({ config }) {
    const pid = await lockHolder(config.home);
    return ok(pid === null ? 'none on this home' : `process ${pid}; qualinet status says what it does`);
  },
};
