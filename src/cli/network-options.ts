import type { EngineConfig } from '../agent/config/agent-config.ts';
import type { NetworkOptions } from '../browser/egress/egress-proxy.ts';
import type { NetworkProfile } from '../browser/egress/network-rules.ts';

/** Who chooses the flows: a server, for this runner alone or for one it manages, or the person at the keyboard. */
export type FlowChooser = 'self-hosted' | 'managed' | 'owner';

/** The network as this machine's configuration opens it to flows, which by default depends on who chooses them (docs/decisions/0016). */
export function networkOptions(config: EngineConfig, chooser: FlowChooser): NetworkOptions {
  const { network, allowHosts, onlyHosts, browserProxy, proxy } = config;
  return {
    rules: {
      profile: network ?? defaultProfiles[chooser],
      allowHosts,
      onlyLists: onlyHosts.length === 0 ? [] : [{ named: '--only-hosts', hosts: onlyHosts }],
    },
    upstream:
      browserProxy === null
        ? proxy
        : { httpProxy: browserProxy, httpsProxy: browserProxy, noProxy: proxy.noProxy },
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
