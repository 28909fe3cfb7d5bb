import { networkOptions, networkSummary } from '../network-options.ts';
import { type Check, ok } from './check.ts';

export const flowNetwork: Check = {
  name: 'network',
  title: 'Network of flows',
  needs: ['policy'],
  fix: 'Choose what flows may reach: --network lan, --allow-host HOST, --only-hosts HOST',
  async run({ config, chooser, policy }) {
    const options = networkOptions(config, await chooser(), await policy());
    return ok(networkSummary(options));
  },
};
