import { runnersOnPreviousSecret } from '../runners/previous-secret.ts';
import type { KeyDeps } from '../runners/runner-keys.ts';
import type { GaugeSource } from './gauges.ts';

/** How far the replacement of WORKER_SECRET has come. */
export function secretGauges(deps: Pick<KeyDeps, 'db' | 'now' | 'workerSecrets'>): GaugeSource {
  return async () => [
    {
      name: 'qualinet_runners_on_previous_secret',
      help: 'All bridges together, from the database they share: runners whose key is not of WORKER_SECRET yet; at 0 WORKER_SECRET_PREVIOUS can be removed.',
      samples: [{ labels: {}, value: (await runnersOnPreviousSecret(deps)).length }],
    },
  ];
}
