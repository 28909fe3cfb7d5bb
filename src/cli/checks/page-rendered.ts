import { duration } from '../../lib/duration.ts';
import { type Check, failed, ok } from './check.ts';

export const pageRendered: Check = {
  name: 'page',
  title: 'A page in it',
  needs: ['browser'],
  fix: 'Try another browser: --browser /path/to/chromium, or QUALINET_BROWSER=/path/to/chromium',
  limitMs: 45_000,
  async run({ launch, render }) {
    const { launchMs, warm } = await launch();
    try {
      const { isColorRight, renderMs } = await render();
      const took = `started in ${duration(launchMs)}, page and picture in ${duration(renderMs)}`;
      return isColorRight
        ? ok(`${took}; the picture shows what was asked for`)
        : failed(`${took}, but the picture does not show what was asked for`, pageRendered.fix);
    } catch (error) {
      const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
      return failed(
        warm.isUsable() ? `no page can be shown: ${why}` : `the browser ended while it showed a page: ${why}`,
        pageRendered.fix,
      );
    }
  },
};
