import { type Check, failed, ok, skipped, warning } from './check.ts';

/** Below it Chromium shows no page. Source: measured, 96 were too few. */
const least = 128;

/** A Chromium with a few pages holds about 300, the runner 100. */
const enough = 1024;

export const openFiles: Check = {
  name: 'files',
  title: 'Open files',
  needs: [],
  fix: 'ulimit -n 4096, LimitNOFILE=4096 of the service, or docker run --ulimit nofile=4096',
  async run({ machine }) {
    const limit = /^Max open files\s+(\d+|unlimited)/m.exec(
      (await machine.readText('/proc/self/limits')) ?? '',
    )?.[1];
    if (limit === undefined) return skipped('cannot be known: the system does not tell');
    const text = `up to ${limit} for each process`;
    if (Number(limit) < least)
      return failed(`${text}: no browser works with fewer than ${least}`, openFiles.fix);
    return limit === 'unlimited' || Number(limit) >= enough
      ? ok(text)
      : warning(`${text}; a browser with several pages may need ${enough}`, openFiles.fix);
  },
};
