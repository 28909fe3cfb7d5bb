import type { NetworkRules } from '../../browser/egress/network-rules.ts';
import { networkProfiles } from '../config/network-settings.ts';
import type { LocalPolicy } from './local-policy.ts';

/**
 * What flows may reach under a policy: the tighter of both profiles, and only hosts that every list holds. A policy that
 * names a profile names the exceptions from it, too.
 */
export function networkUnderPolicy(
  rules: NetworkRules,
  policy: Pick<LocalPolicy, 'network' | 'allowHosts' | 'hosts' | 'path'> | null,
): NetworkRules {
  if (policy === null) return rules;
  const { network, allowHosts, hosts, path } = policy;
  const isTighter =
    network !== null && networkProfiles.indexOf(network) > networkProfiles.indexOf(rules.profile);
  return {
    profile: isTighter ? network : rules.profile,
    allowHosts: network === null ? [...rules.allowHosts, ...allowHosts] : allowHosts,
    onlyLists: [...rules.onlyLists, ...(hosts.length === 0 ? [] : [{ named: `"hosts" of ${path}`, hosts }])],
  };
}
