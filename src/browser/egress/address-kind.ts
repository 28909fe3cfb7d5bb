import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { bareHost } from '../../lib/host-and-port.ts';

/** What lies at an address, as far as rules tell apart; `multicast` counts broadcast in, `reserved` is every other special range. */
export type AddressKind =
  | 'public'
  | 'reserved'
  | 'private'
  | 'multicast'
  | 'loopback'
  | 'link-local'
  | 'metadata';

/**
 * What lies at an IP address, in whichever spelling. An IPv6 address that carries an IPv4 address, for a translator or a
 * tunnel, is the worse of both. Throws for what is no address.
 */
export function addressKind(address: string): AddressKind {
  const kinds = formsOf(address).map(kindOfForm);
  return kinds.reduce((worst, kind) => (severity.indexOf(kind) > severity.indexOf(worst) ? kind : worst));
}

/** An address in its one spelling: no zone, and an IPv4 address that is mapped into IPv6 as what it is. */
export function plainAddress(address: string): string {
  return ipaddr.process(withoutZone(address)).toString();
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

const severity: readonly AddressKind[] = [
  'public',
  'reserved',
  'private',
  'multicast',
  'loopback',
  'link-local',
  'metadata',
];

/** Where clouds tell a machine its secrets. Sources: the documents of AWS, Azure, Alibaba Cloud, Oracle Cloud and Google Cloud. */
const metadataAddresses: ReadonlySet<string> = new Set([
  ...['169.254.169.254', '169.254.170.2', '169.254.170.23', '169.254.169.253', '169.254.0.23'],
  ...['168.63.129.16', '100.100.100.200', '192.0.0.192'],
  ...['fd00:ec2::254', 'fd00:ec2::253', 'fd00:ec2::23', 'fd20:ce::254'],
]);

function kindOfForm(address: Address): AddressKind {
  if (metadataAddresses.has(address.toString())) return 'metadata';
  switch (address.range() as string) {
    case 'unicast':
    // Translators of IPv6-only networks: what they lead to is looked at beside.
    case 'rfc6052':
    case 'rfc6145':
      return isLocalTranslator(address) ? 'reserved' : 'public';
    // A connection to 0.0.0.0 or :: reaches this machine.
    case 'unspecified':
    case 'loopback':
      return 'loopback';
    case 'linkLocal':
      return 'link-local';
    case 'multicast':
    case 'broadcast':
      return 'multicast';
    case 'private':
    case 'carrierGradeNat':
    case 'uniqueLocal':
    case 'deprecatedSiteLocal':
      return 'private';
    default:
      return 'reserved';
  }
}

/** The address, and each IPv4 address that is written inside it. */
function formsOf(text: string): Address[] {
  const address = ipaddr.process(withoutZone(text));
  return [address, ...(address instanceof ipaddr.IPv6 ? embedded(address) : [])];
}

function embedded(address: ipaddr.IPv6): ipaddr.IPv4[] {
  const bytes = address.toByteArray();
  const at = (...places: readonly number[]): ipaddr.IPv4 =>
    new ipaddr.IPv4(places.map((place) => bytes[place] ?? 0));
  const last = at(12, 13, 14, 15);
  if (isLocalTranslator(address)) {
    // RFC 6052 §2.2: where the IPv4 address is depends on how long the network's prefix is, which only its owner knows.
    // What is no address in one place is the padding of another: none begins with a zero.
    return [last, at(6, 7, 9, 10), at(7, 9, 10, 11), at(9, 10, 11, 12)].filter(
      ({ octets: [first] }) => first !== 0,
    );
  }
  switch (address.range() as string) {
    case 'rfc6052':
    case 'rfc6145':
      return [last];
    case '6to4':
      return [at(2, 3, 4, 5)];
    case 'teredo':
      return [at(4, 5, 6, 7), new ipaddr.IPv4([12, 13, 14, 15].map((place) => 255 - (bytes[place] ?? 0)))];
    default:
      return isCompatible(address) || isIsatap(bytes) ? [last] : [];
  }
}

/** 64:ff9b:1::/48, RFC 8215. */
function isLocalTranslator(address: Address): boolean {
  return address instanceof ipaddr.IPv6 && address.match(localTranslators);
}

/** ::a.b.c.d, RFC 4291 §2.5.5.1. */
function isCompatible(address: ipaddr.IPv6): boolean {
  return address.match(compatible) && address.range() === 'unicast';
}

/** An interface identifier that ends in ::0:5efe:a.b.c.d, RFC 5214. */
function isIsatap(bytes: readonly number[]): boolean {
  return ((bytes[8] ?? 0) & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe;
}

const localTranslators: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('64:ff9b:1::'), 48];
const compatible: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('::'), 96];

function withoutZone(address: string): string {
  const bare = bareHost(address).replace(/%.*$/, '');
  if (isIP(bare) === 0) throw new Error(`"${address}" is no IP address`);
  return bare;
}
