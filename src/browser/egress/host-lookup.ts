import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** Addresses of a host name, IPv4 and IPv6, in the order of preference. Rejects with Node's own error when there are none. */
export type ResolveName = (name: string) => Promise<readonly string[]>;

/** Addresses of hosts as a browser names them, each name looked up once in `keptMs`; literal addresses are themselves. */
export function hostLookup(
  resolve: ResolveName = systemResolve,
  now: () => number = () => performance.now(),
): (host: string) => Promise<readonly string[]> {
  const known = new Map<string, { addresses: Promise<readonly string[]>; until: number }>();

  return (host) => {
    const bare = host.replace(/^\[|\]$/g, '');
    if (isIP(bare) !== 0) return Promise.resolve([bare]);
    // Browsers ask nobody for these (RFC 6761).
    if (host === 'localhost' || host.endsWith('.localhost')) return Promise.resolve(['127.0.0.1', '::1']);
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

/** Half of what browsers keep a name for. */
const keptMs = 30_000;
const maxKept = 1_000;

async function systemResolve(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true, order: 'verbatim' })).map(({ address }) => address);
}
