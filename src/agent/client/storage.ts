import { type AddressKind, addressKind } from '../../browser/egress/address-kind.ts';
import { pinnedLookup } from '../../browser/egress/dial.ts';
import { hostLookup, literalAddresses, type ResolveName } from '../../browser/egress/host-lookup.ts';
import { type NetworkRules, refusalOf, type Target, targetOf } from '../../browser/egress/network-rules.ts';
import type { ProxySettings } from '../config/agent-config.ts';
import { createTransport, type Transport } from './transport.ts';

/**
 * The way to where pictures are put. The bridge names the address, and it must not make this machine its way into the
 * network around it: besides the bridge itself, only what flows may reach here is reached, and the addresses that were
 * judged are those that are connected to. Behind a proxy names are looked up there, and only addresses are judged here.
 */
export interface Storage {
  /** Why nothing is sent to this address, as far as it can be seen without looking a name up; null when it is. */
  whyNot(target: URL): string | null;
  /** Sends without following redirects; rejects when the name leads to where nothing is sent. */
  send: Transport['send'];
  /** The proxy on the way, for messages. */
  proxyFor: Transport['proxyFor'];
  close(): Promise<void>;
}

/** Which part of the network is reached. */
export interface StorageOptions {
  apiBaseUrl: string;
  /** The way to the bridge, which is taken for its own addresses. */
  transport: Pick<Transport, 'send'>;
  proxy: Partial<ProxySettings>;
  /** What flows may reach. Lists of the only hosts are about sites, and do not count for pictures: the policy's `uploads` does. */
  rules: Pick<NetworkRules, 'profile' | 'allowHosts'>;
  /** Finds all addresses of a name; the system's way if not given. */
  resolve?: ResolveName;
}

/** Opens no connection before the first request. */
export function openStorage({ apiBaseUrl, transport, proxy, rules, resolve }: StorageOptions): Storage {
  const bridge = new URL(apiBaseUrl);
  const beside = kindsBeside(bridge);
  const addressesOf = hostLookup(resolve);
  /** Addresses of hosts that a request is about to be sent to. */
  const judged = new Map<string, readonly string[]>();
  const checked = createTransport(proxy, {
    lookup: (name, ...asked) => pinnedLookup(judged.get(name) ?? [])(name, ...asked),
  });

  function whyNot(target: Target, addresses: readonly string[]): string | null {
    if (addresses.length > 0 && addresses.every((address) => beside.has(addressKind(address)))) return null;
    return refusalOf(target, addresses, { ...rules, onlyLists: [] }, { ownPorts: [] })?.why ?? null;
  }

  return {
    whyNot(url) {
      if (url.origin === bridge.origin) return null;
      return whyNot(targetOf(url), literalAddresses(url.hostname));
    },
    async send(request) {
      const url = new URL(request.url);
      if (url.origin === bridge.origin) return transport.send(request);
      const isLookedUpHere = checked.proxyFor(request.url) === null;
      const addresses = isLookedUpHere ? await addressesOf(url.hostname) : literalAddresses(url.hostname);
      const why = whyNot(targetOf(url), addresses);
      if (why !== null) throw new Error(`nothing is sent to ${url.host}: ${why}`);
      judged.set(url.hostname, addresses);
      if (judged.size > maxJudged) judged.delete(judged.keys().next().value ?? '');
      return checked.send(request);
    },
    proxyFor: (url) => checked.proxyFor(url),
    close: () => checked.close(),
  };
}

/** Hosts that are kept in mind; a bridge may name any number of them. */
const maxJudged = 100;

/** A bridge inside has its storage beside it. */
function kindsBeside({ hostname }: URL): ReadonlySet<AddressKind> {
  const kinds = literalAddresses(hostname).map(addressKind);
  if (kinds.includes('loopback')) return new Set<AddressKind>(['loopback', 'private']);
  return new Set<AddressKind>(kinds.includes('private') ? ['private'] : []);
}
