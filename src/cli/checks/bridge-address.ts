import { type Check, ok, skipped } from './check.ts';

export const bridgeAddress: Check = {
  name: 'address',
  title: 'Address of the bridge',
  needs: [],
  fix: 'Name it: qualinet doctor --api https://…',
  async run({ address, config }) {
    const named = await address();
    if (named === null) return skipped('nothing names a bridge yet', 'qualinet doctor --api https://…');
    const isPassedOver =
      named.from === 'runner.json' && config.apiBaseUrl !== null && config.apiBaseUrl !== named.url;
    return ok(
      `${named.url} (${named.from}${isPassedOver ? '; API_BASE_URL is not used on a paired machine' : ''})`,
    );
  },
};
