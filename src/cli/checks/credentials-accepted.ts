import { newestKey } from '../../agent/credentials/credentials.ts';
import { isRotationDue } from '../../agent/credentials/rotation.ts';
import { span } from '../../lib/duration.ts';
import { type Check, ok, skipped, warning } from './check.ts';

export const credentialsAccepted: Check = {
  name: 'credentials',
  title: 'Credentials',
  needs: ['pairing', 'bridge'],
  fix: 'If this lasts, pair again: qualinet pair CODE --force',
  limitMs: 12_000,
  async run({ address, askSelf, client, config, credentials, clock }) {
    const own = await credentials();
    if (own === null) {
      return config.workerSecret === null
        ? skipped('this machine is not paired', 'qualinet pair CODE --api https://…')
        : skipped('cannot be known without enrolling this machine, which each start does', 'qualinet start');
    }
    const named = await address();
    if (named?.url !== own.apiBaseUrl)
      return skipped(`they are for ${own.apiBaseUrl}, and --api names another bridge`);
    // Refusals are thrown, with what to do: revoked, expired, unknown, an answer that is not signed.
    const answer = await askSelf();
    const { notAfter, generation } = newestKey(own);
    const leftMs = Date.parse(notAfter) - clock.nowMs() - (answer?.aheadMs ?? 0);
    const life = `key ${generation} good until ${notAfter}${leftMs > 0 ? ` (${span(leftMs)})` : ''}`;
    if (answer?.self.draining === true)
      return warning(
        `the bridge knows this runner, ${life}, but its operators drain it: it is given no runs`,
        'qualinet-bridge undrain, by the operators',
      );
    if (own.keys.length > 1) return ok(`the bridge knows this runner; ${life}; a renewal is under way`);
    const bridgeTimeMs = (await client())?.bridgeTimeMs() ?? clock.nowMs();
    const isDue = isRotationDue({ credentials: own, isRenewalOrdered: false }, bridgeTimeMs);
    return ok(`the bridge knows this runner; ${life}${isDue ? '; the next start renews it' : ''}`);
  },
};
