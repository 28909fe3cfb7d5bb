import { BlockList, isIP } from 'node:net';
import { bareHost } from './host-and-port.ts';

/**
 * Hosts as people write them in rules: a name (`app.example.com`), all names below one (`*.example.com`, itself not
 * counted), an address (`192.168.1.5`, `[::1]`), a network (`10.0.0.0/8`), or `*` for all. A port behind it (`localhost:3000`)
 * narrows it to that port.
 */
export interface HostPattern {
  /** As it was written. */
  readonly text: string;
  /** Null for every port. */
  readonly port: number | null;
  /** The address or network it was written for; null for names and `*`. */
  readonly network: { readonly address: string; readonly prefix: number } | null;
  /** True for a host as it stands in an address; names are compared without case, addresses by value. */
  matchesHost(host: string, port: number): boolean;
  /** True for an IP address that a connection goes to. A name never matches an address. */
  matchesAddress(address: string, port: number): boolean;
}

/** Reads one pattern. Throws a text that says what is wrong with it. */
export function parseHostPattern(text: string): HostPattern {
  const [, host = '', portText] =
    /^(\[[^\]]*\](?:\/\d+)?|[^:]*|[^:]*:[^:]*:.*?)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const port = portText === undefined ? null : Number(portText);
  if (host === '' || (port !== null && (port < 1 || port > 65_535))) throw malformed(text);
  const { byName, network, written } = readHost(host, text);
  const isPort = (asked: number): boolean => port === null || port === asked;
  const inNetwork = (address: string): boolean => {
    const bare = bareHost(address);
    const family = isIP(bare);
    return family !== 0 && (network?.check(bare, family === 6 ? 'ipv6' : 'ipv4') ?? host === '*');
  };
  return {
    text,
    port,
    network: written,
    matchesHost: (asked, askedPort) =>
      isPort(askedPort) && (byName(canonical(asked) ?? '') || inNetwork(asked)),
    matchesAddress: (address, askedPort) => isPort(askedPort) && inNetwork(address),
  };
}

function readHost(
  host: string,
  text: string,
): { byName: (name: string) => boolean; network: BlockList | null; written: HostPattern['network'] } {
  if (host === '*') return { byName: () => true, network: null, written: null };
  const [base = '', prefix] = host.split('/');
  const address = canonical(base.replace(/^\*\./, ''));
  if (address === null) throw malformed(text);
  const family = isIP(bareHost(address));
  if (family === 0) {
    if (prefix !== undefined || base.slice(1).includes('*')) throw malformed(text);
    const isBelow = base.startsWith('*.');
    return {
      byName: (name) => (isBelow ? name.endsWith(`.${address}`) : name === address),
      network: null,
      written: null,
    };
  }
  const most = family === 6 ? 128 : 32;
  const bits = prefix === undefined ? most : Number(prefix);
  if (base.startsWith('*') || !/^\d{1,3}$/.test(prefix ?? '0') || bits > most) throw malformed(text);
  const network = new BlockList();
  const bare = bareHost(address);
  network.addSubnet(bare, bits, family === 6 ? 'ipv6' : 'ipv4');
  return { byName: () => false, network, written: { address: bare, prefix: bits } };
}

/** As a browser writes a host: without case, names in ASCII, addresses in their one form. Null for what is no host. */
function canonical(host: string): string | null {
  const bracketed = isIP(host) === 6 ? `[${host}]` : host;
  if (/[\s/\\?#@]/.test(bracketed) || bracketed === '') return null;
  const address = `http://${bracketed}/`;
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  return url.port === '' ? url.hostname.replace(/\.$/, '') : null;
}

function malformed(text: string): Error {
  return new Error(
    `"${text}" is no host; write app.example.com, *.example.com, 10.0.0.0/8 or localhost:3000`,
  );
}
