import { trustedCertificates } from '../agent/client/trusted-certificates.ts';
import type { EngineConfig } from '../agent/config/agent-config.ts';
import type { LocalPolicy } from '../agent/policy/local-policy.ts';
import { networkUnderPolicy } from '../agent/policy/network-under-policy.ts';
import type { NetworkOptions } from '../browser/egress/egress-proxy.ts';
import type { NetworkProfile, NetworkRules } from '../browser/egress/network-rules.ts';

/** Who chooses the flows: a server, for this runner alone or for one it manages, or the person at the keyboard. */
export type FlowChooser = 'self-hosted' | 'managed' | 'owner';

/** What this machine's configuration and policy let flows reach, which by default depends on who chooses them (docs/decisions/0016). */
export function networkRules(
  { network, allowHosts, onlyHosts }: Pick<EngineConfig, 'network' | 'allowHosts' | 'onlyHosts'>,
  chooser: FlowChooser,
  policy: LocalPolicy | null,
): NetworkRules {
  return networkUnderPolicy(
    {
      profile: network ?? defaultProfiles[chooser],
      allowHosts,
      onlyLists: onlyHosts.length === 0 ? [] : [{ named: '--only-hosts', hosts: onlyHosts }],
    },
    policy,
  );
}

/** The same with the way that flows go. Made once by a command: certificates of your own are read into it. */
export function networkOptions(
  config: EngineConfig,
  chooser: FlowChooser,
  policy: LocalPolicy | null,
): NetworkOptions {
  const { browserProxy, proxy } = config;
  return {
    rules: networkRules(config, chooser, policy),
    upstream: {
      httpProxy: browserProxy ?? proxy.httpProxy,
      httpsProxy: browserProxy ?? proxy.httpsProxy,
      noProxy: proxy.noProxy,
      trust: trustedCertificates(proxy),
    },
  };
}

/** One line for people: `lan, besides localhost:3000`. */
export function networkSummary({ rules, upstream }: NetworkOptions): string {
  const listed = (patterns: readonly { text: string }[]): string =>
    patterns.map(({ text }) => text).join(', ');
  const proxies = [upstream?.httpsProxy, upstream?.httpProxy].filter(
    (url) => url !== undefined && url !== '',
  );
  return [
    rules.profile,
    ...(rules.allowHosts.length === 0 ? [] : [`besides ${listed(rules.allowHosts)}`]),
    ...rules.onlyLists.map(({ hosts }) => `only ${listed(hosts)}`),
    ...(proxies[0] === undefined ? [] : [`through ${new URL(proxies[0]).host}`]),
  ].join('; ');
}

const defaultProfiles: Readonly<Record<FlowChooser, NetworkProfile>> = {
  'self-hosted': 'lan',
  managed: 'public',
  owner: 'open',
};
