import { type LookupAddress, lookup as resolveName } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import type { EngineConfig, ProxySettings } from '../config/agent-config.ts';
import { createTransport, type Transport } from './transport.ts';

/**
 * The way to where pictures are put. The bridge names the address, and it must not make this machine its way into the
 * network around it: besides the bridge itself, only what flows may reach here is reached, and the address that was looked
 * at is the one that is connected to. Behind a proxy names are looked up there, and only addresses are judged here.
 */
export interface Storage {
  /** Why nothing is sent to this address; null when it is. */
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
  network: NonNullable<EngineConfig['network']>;
  allowHosts: EngineConfig['allowHosts'];
  /** Finds all addresses of a name; the system's way if not given. */
  resolve?: typeof resolveName;
}

/** Opens no connection before the first request. */
export function openStorage({ resolve = resolveName, ...options }: StorageOptions): Storage {
  const { apiBaseUrl, transport, proxy, network, allowHosts } = options;
  const bridge = new URL(apiBaseUrl);
  const bridgeKind = kindOf(bareHost(bridge));
  const isOpen: Record<AddressKind, boolean> = {
    public: true,
    // A bridge that is there itself has its storage beside it.
    private: network !== 'public' || bridgeKind === 'private' || bridgeKind === 'loopback',
    loopback: network === 'open' || bridgeKind === 'loopback',
    'link-local': false,
  };
  const whyNotAddress = (address: string): string | null => {
    const kind = kindOf(address);
    return isOpen[kind] || allowHosts.some((host) => host.port === null && host.matchesAddress(address, 443))
      ? null
      : `${kind} addresses are not for pictures here; --allow-host ${address} allows it`;
  };
  const isNamed = (target: URL): boolean =>
    target.origin === bridge.origin ||
    allowHosts.some((host) => host.matchesHost(target.hostname, portOf(target)));
  const checked = createTransport(proxy, { lookup: checkedLookup(resolve, whyNotAddress) });
  return {
    whyNot: (target) => (isNamed(target) ? null : whyNotAddress(bareHost(target))),
    send: (request) => (isNamed(new URL(request.url)) ? transport : checked).send(request),
    proxyFor: (url) => checked.proxyFor(url),
    close: () => checked.close(),
  };
}

type AddressKind = 'public' | 'private' | 'loopback' | 'link-local';

/** The kind of an address, or of a name that stands for one; every other name counts as public until it is looked up. */
function kindOf(host: string): AddressKind {
  const name = host.toLowerCase().replace(/\.$/, '');
  if (name === 'localhost' || name.endsWith('.localhost')) return 'loopback';
  if (name === 'metadata.google.internal') return 'link-local';
  const family = isIP(name);
  if (family === 0) return 'public';
  const type = family === 6 ? 'ipv6' : 'ipv4';
  return kinds.find(({ list }) => list.check(name, type))?.kind ?? 'public';
}

// Sources: the registries of special-purpose addresses of IANA; of those that are no link-local ones, the metadata services of
// AWS (fd00:ec2::254), Alibaba (100.100.100.200) and Oracle (192.0.0.192). Node compares mapped IPv4 addresses by their value.
const kinds: readonly { kind: AddressKind; list: BlockList }[] = [
  {
    kind: 'link-local',
    list: networks(
      '169.254.0.0/16',
      'fe80::/10',
      'fd00:ec2::254/128',
      '100.100.100.200/32',
      '192.0.0.0/24',
      '224.0.0.0/3',
      'ff00::/8',
    ),
  },
  { kind: 'loopback', list: networks('127.0.0.0/8', '0.0.0.0/8', '::1/128', '::/128') },
  {
    kind: 'private',
    list: networks(
      '10.0.0.0/8',
      '172.16.0.0/12',
      '192.168.0.0/16',
      '100.64.0.0/10',
      '198.18.0.0/15',
      'fc00::/7',
      'fec0::/10',
      '64:ff9b::/96',
      '64:ff9b:1::/48',
      '2002::/16',
      '2001::/32',
    ),
  },
];

function networks(...written: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of written) {
    const [address = '', bits = ''] = network.split('/');
    list.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

function bareHost({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function portOf({ port, protocol }: URL): number {
  return Number(port || (protocol === 'https:' ? 443 : 80));
}

/** Gives only addresses that may be connected to: what is looked at here is what the socket is opened to. */
function checkedLookup(
  resolve: typeof resolveName,
  whyNotAddress: (address: string) => string | null,
): LookupFunction {
  return (name, options, callback) => {
    resolve(name, { ...options, all: true }, (error, found) => {
      const good: LookupAddress[] = (found ?? []).filter(({ address }) => whyNotAddress(address) === null);
      const [first] = good;
      if (error !== null) return callback(error, '', 0);
      if (first === undefined) {
        const bad = found[0]?.address ?? '';
        return callback(new Error(`${name} is at ${bad}: ${whyNotAddress(bad) ?? 'nowhere'}`), '', 0);
      }
      if (options.all === true) callback(null, good);
      else callback(null, first.address, first.family);
    });
  };
}
