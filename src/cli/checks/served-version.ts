import { howToUpgrade, versionNoticeText } from '../../agent/client/version-notice.ts';
import { version } from '../../lib/version.ts';
import { protocolVersion } from '../../protocol/limits.ts';
import { isOlderThan } from '../../protocol/release.ts';
import { type Check, failed, ok, skipped, warning } from './check.ts';

export const servedVersion: Check = {
  name: 'version',
  title: 'Version',
  needs: ['credentials'],
  fix: howToUpgrade,
  async run({ askSelf, clock }) {
    const answer = await askSelf();
    if (answer === null) return skipped('cannot be known: this machine is not paired');
    const { notice } = answer.self;
    if (notice === undefined || !isOlderThan(version, notice.minVersion))
      return ok(`${version}, protocol ${protocolVersion}; the bridge has announced no end of it`);
    const bridgeTimeMs = clock.nowMs() + (answer.aheadMs ?? 0);
    return Date.parse(notice.from) <= bridgeTimeMs
      ? failed(
          `the bridge serves version ${notice.minVersion} or newer since ${notice.from}; this is ${version}`,
          howToUpgrade,
        )
      : warning(versionNoticeText(notice, version), howToUpgrade);
  },
};
