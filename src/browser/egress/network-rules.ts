import { portOf } from '../../lib/host-and-port.ts';
import type { HostPattern } from '../../lib/host-pattern.ts';
import { type AddressKind, addressKind, plainAddress } from './address-kind.ts';
import { ownAddresses } from './own-addresses.ts';

/** `open`: everything; `lan`: no loopback and no multicast; `public`: no private networks either. Metadata and link-local are closed in each. */
export type NetworkProfile = 'open' | 'lan' | 'public';

/** What a run may reach. Made from this machine's configuration alone. */
export interface NetworkRules {
  readonly profile: NetworkProfile;
  /** Reached whatever the profile says. A rule that names a metadata service or a link-local address opens it, no wider rule does. */
  readonly allowHosts: readonly HostPattern[];
  /** Lists outside of which nothing is reached; `named` is how people know the list, `--only-hosts` for one. */
  readonly onlyLists: readonly { readonly named: string; readonly hosts: readonly HostPattern[] }[];
}

/** Host and port of a connection. `host` as a browser writes it: without case, IPv6 in brackets, no dot at the end. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

/** What an address leads to. */
export function targetOf(url: URL): Target {
  return { host: url.hostname.replace(/\.$/, ''), port: portOf(url) };
}

/** Why a host is not reached. */
export interface Refusal {
  /** `example.com:443` */
  readonly host: string;
  /** `loopback`, `private network`: a word for lists. */
  readonly word: string;
  /** A sentence without its end: what it is that closes the host, and the flag that opens it. */
  readonly why: string;
}

/** What the rules need to know besides. */
export interface Surroundings {
  /** Ports on which the runner itself listens on this machine. */
  readonly ownPorts: readonly number[];
}

/**
 * Why the rules refuse a connection to these addresses, all of which belong to the target; null when they do not. No
 * addresses: the name is looked up elsewhere, and only the name is judged.
 */
export function refusalOf(
  target: Target,
  addresses: readonly string[],
  rules: NetworkRules,
  { ownPorts }: Surroundings,
): Refusal | null {
  const host = `${target.host}:${target.port}`;
  if (ownPorts.includes(target.port) && addresses.some(isOfThisMachine)) {
    return {
      host,
      word: 'port of the runner',
      why: 'it is a port of this runner itself, which no flow reaches',
    };
  }
  for (const { named, hosts } of rules.onlyLists) {
    if (isListed(target, addresses, hosts)) continue;
    return { host, word: `not in ${named}`, why: `it is not in ${named}; add it there: ${host}` };
  }
  const isNamed = rules.allowHosts.some((pattern) => pattern.matchesHost(target.host, target.port));
  const isMetadataNamed = namesLiterally(target, rules.allowHosts);
  if (isMetadataName(target.host) && !isMetadataNamed) return closed(target, null, 'metadata');
  for (const address of addresses.map(plainAddress)) {
    const kind = addressKind(address);
    const isOpen = closedAlways.has(kind)
      ? isMetadataNamed || rules.allowHosts.some((pattern) => opensClosed(pattern, address, target.port))
      : !closedIn[rules.profile].has(kind) ||
        isNamed ||
        rules.allowHosts.some((pattern) => pattern.matchesAddress(address, target.port));
    if (!isOpen) return closed(target, address, kind);
  }
  return null;
}

/** True when an address is reached from this machine alone, is one of its own, or may be one as far as can be known. */
export function isOfThisMachine(address: string): boolean {
  const plain = plainAddress(address);
  if (addressKind(plain) === 'loopback') return true;
  return ownAddresses()?.some((own) => plainAddress(own) === plain) ?? true;
}

const closedAlways: ReadonlySet<AddressKind> = new Set(['metadata', 'link-local']);

const closedIn: Readonly<Record<NetworkProfile, ReadonlySet<AddressKind>>> = {
  open: closedAlways,
  lan: new Set([...closedAlways, 'loopback', 'multicast']),
  public: new Set([...closedAlways, 'loopback', 'multicast', 'private', 'reserved']),
};

const kindTexts: Readonly<Record<AddressKind, { word: string; text: string }>> = {
  public: { word: 'public', text: 'a public address' },
  reserved: { word: 'reserved range', text: 'in a reserved range' },
  private: { word: 'private network', text: 'in a private network' },
  multicast: { word: 'multicast', text: 'a multicast or broadcast address' },
  loopback: { word: 'loopback', text: 'this machine itself (loopback)' },
  'link-local': { word: 'link-local', text: 'link-local' },
  metadata: { word: 'cloud metadata', text: 'a cloud metadata service' },
};

/** Names under which clouds tell a machine its secrets, wherever they lead. */
const metadataNames: ReadonlySet<string> = new Set([
  ...['metadata.google.internal', 'metadata.goog', 'metadata', 'instance-data', 'instance-data.ec2.internal'],
  ...['metadata.azure.internal', 'metadata.tencentyun.com', 'metadata.oraclecloud.com'],
]);

function isMetadataName(host: string): boolean {
  return metadataNames.has(host);
}

function closed({ host, port }: Target, address: string | null, kind: AddressKind): Refusal {
  const { word, text } = kindTexts[kind];
  const isLiteral = address === null || plainOf(host) === address;
  const subject = isLiteral ? `it is ${text}` : `it leads to ${address}, which is ${text}`;
  // A name does not open what is closed always: the rule must name the address.
  const opens = closedAlways.has(kind) && !isLiteral ? withPort(address ?? host, port) : `${host}:${port}`;
  return { host: `${host}:${port}`, word, why: `${subject}; allow it with: --allow-host ${opens}` };
}

function plainOf(host: string): string | null {
  try {
    return plainAddress(host);
  } catch {
    return null;
  }
}

function withPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function isListed(
  { host, port }: Target,
  addresses: readonly string[],
  hosts: readonly HostPattern[],
): boolean {
  if (hosts.some((pattern) => pattern.matchesHost(host, port))) return true;
  return (
    addresses.length > 0 &&
    addresses.every((address) => hosts.some((pattern) => pattern.matchesAddress(plainAddress(address), port)))
  );
}

/** True for a rule that is this very name of a metadata service. */
function namesLiterally({ host, port }: Target, patterns: readonly HostPattern[]): boolean {
  return (
    isMetadataName(host) &&
    patterns.some((pattern) => !pattern.text.includes('*') && pattern.matchesHost(host, port))
  );
}

/** True for a rule that was written for such addresses, not one that is so wide that it holds them, too. */
function opensClosed({ network, matchesAddress }: HostPattern, address: string, port: number): boolean {
  return (
    network !== null &&
    closedAlways.has(addressKind(network.address)) &&
    network.prefix >= leastPrefix &&
    matchesAddress(address, port)
  );
}

/** The widest network of a rule that opens what is closed always: fe80::/10 is the whole of link-local in IPv6. */
const leastPrefix = 10;
