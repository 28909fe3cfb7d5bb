import { credentialsPath } from '../../agent/credentials/credentials.ts';
import { type Check, failed, ok, warning } from './check.ts';

export const pairing: Check = {
  name: 'pairing',
  title: 'Credentials file',
  needs: [],
  fix: 'Pair again: qualinet pair CODE --force',
  async run({ config, credentials }) {
    // What is wrong with a file that is there is thrown, with what to do.
    const own = await credentials();
    if (own !== null) {
      const { name, workspace, mode, apiBaseUrl } = own;
      return ok(
        `${credentialsPath(config.home)}: "${name}" (${mode}, workspace ${workspace}) with ${apiBaseUrl}`,
      );
    }
    if (config.workerSecret === null) {
      return warning(
        `this machine is not paired: there is no ${credentialsPath(config.home)}`,
        'Get a code from the operators of your bridge, then: qualinet pair CODE --api https://…',
      );
    }
    return config.apiBaseUrl === null
      ? failed(
          'WORKER_SECRET is set, but API_BASE_URL is not',
          'Set API_BASE_URL to the address of the bridge',
        )
      : ok('none is needed: WORKER_SECRET lets this runner enrol at its start');
  },
};
