import type { HostPattern } from '../../lib/host-pattern.ts';
import type { EngineConfig } from '../config/agent-config.ts';
import { networkProfiles } from '../config/network-settings.ts';
import type { LocalPolicy } from './local-policy.ts';

/** The part of the configuration that says what flows may reach. */
type NetworkRules = Pick<EngineConfig, 'network' | 'allowHosts' | 'onlyHosts'>;

/**
 * What flows may reach under the policy: the tighter of both parts of the network, hosts that both let them reach. A policy
 * that names a part names the exceptions from it, too. `byDefault` is the part where the configuration says none.
 */
export function effectiveNetwork(
  config: NetworkRules,
  policy: Pick<LocalPolicy, 'network' | 'allowHosts' | 'hosts'> | null,
  byDefault: NonNullable<NetworkRules['network']>,
): NetworkRules {
  const { network, allowHosts, onlyHosts } = config;
  if (policy === null) return { network, allowHosts, onlyHosts };
  return {
    network: policy.network === null ? network : tighterOf(network ?? byDefault, policy.network),
    allowHosts: policy.network === null ? [...allowHosts, ...policy.allowHosts] : policy.allowHosts,
    onlyHosts: inBoth(onlyHosts, policy.hosts),
  };
}

function tighterOf(
  one: NonNullable<NetworkRules['network']>,
  other: NonNullable<NetworkRules['network']>,
): NonNullable<NetworkRules['network']> {
  return networkProfiles.indexOf(one) > networkProfiles.indexOf(other) ? one : other;
}

/** Hosts that are in both lists, where an empty one stands for all hosts. The result is empty only when both are. */
function inBoth(ours: readonly HostPattern[], theirs: readonly HostPattern[]): readonly HostPattern[] {
  if (ours.length === 0) return theirs;
  if (theirs.length === 0) return ours;
  return ours.flatMap((one) => theirs.map((other) => (one.text === other.text ? one : both(one, other))));
}

function both(one: HostPattern, other: HostPattern): HostPattern {
  return {
    text: `${one.text} within ${other.text}`,
    port: one.port ?? other.port,
    network: null,
    matchesHost: (host, port) => one.matchesHost(host, port) && other.matchesHost(host, port),
    matchesAddress: (address, port) =>
      one.matchesAddress(address, port) && other.matchesAddress(address, port),
  };
}
