import { join } from 'node:path';
import { policySummary } from '../../agent/policy/policy-summary.ts';
import { ensurePolicyTakes } from '../../agent/policy/refusals.ts';
import { type Check, ok, warning } from './check.ts';

export const policy: Check = {
  name: 'policy',
  title: 'Local policy',
  needs: [],
  fix: 'Its rules: docs/operations.md, "Local policy"; no runner starts until it is right',
  async run({ config, credentials, policy: read }) {
    // A file that is wrong, or that others can write, is thrown with what to do.
    const found = await read();
    if (found === null) return ok(`none (${join(config.home, 'policy.json')} is not there)`);
    const own = await credentials().catch(() => null);
    if (own !== null) ensurePolicyTakes(own, found);
    const text = `${found.path}: ${policySummary(found)}`;
    return found.network !== null && config.allowHosts.length > 0
      ? warning(
          `${text}; --allow-host is not used, because it says which part of the network flows may reach`,
          `Add those hosts to "allowHosts" in ${found.path}, or leave --allow-host (QUALINET_ALLOW_HOSTS) out`,
        )
      : ok(text);
  },
};
