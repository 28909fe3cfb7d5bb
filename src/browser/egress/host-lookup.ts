import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { bareHost } from '../../lib/host-and-port.ts';
import { plainAddress } from './address-kind.ts';

/** Addresses of a host name, IPv4 and IPv6, in the order of preference. Rejects with Node's own error when there are none. */
export type ResolveName = (name: string) => Promise<readonly string[]>;

/** Addresses of hosts as a browser names them, each name looked up once in `keptMs`; literal addresses are themselves. */
export function hostLookup(
  resolve: ResolveName = systemResolve,
  now: () => number = () => performance.now(),
): (host: string) => Promise<readonly string[]> {
  const known = new Map<string, { addresses: Promise<readonly string[]>; until: number }>();

  return (host) => {
    const literal = literalAddresses(host);
    if (literal.length > 0) return Promise.resolve(literal);
    const kept = known.get(host);
    if (kept !== undefined && kept.until > now()) return kept.addresses;
    if (known.size >= maxKept) known.clear();
    const addresses = resolve(host).then((found) => {
      if (found.length === 0) throw Object.assign(new Error(`${host} has no address`), { code: 'ENOTFOUND' });
      return found;
    });
    known.set(host, { addresses, until: now() + keptMs });
    addresses.catch(() => known.delete(host));
    return addresses;
  };
}

/** The addresses that a host stands for without anybody being asked: itself, or this machine; none for other names. */
export function literalAddresses(host: string): readonly string[] {
  // Browsers ask nobody for these (RFC 6761).
  if (/(^|\.)localhost\.?$/.test(host)) return ['127.0.0.1', '::1'];
  const bare = bareHost(host);
  return isIP(bare) === 0 ? [] : [plainAddress(bare)];
}

/** Half of what browsers keep a name for. */
const keptMs = 30_000;
const maxKept = 1_000;

async function systemResolve(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true, order: 'verbatim' })).map(({ address }) => address);
}
