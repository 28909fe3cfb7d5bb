import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

/** Where the addresses of this machine are read. */
export interface AddressSources {
  /** As the system lists them; throws where it may not be asked. */
  list(): readonly string[];
  /** Text of a file; throws when it cannot be read. */
  read(path: string): string;
}

/**
 * All addresses of this machine, null when nothing tells them. Listing them takes a netlink socket, which the hardened service is refused:
 * with namespaces of its own a page that broke out would get at the kernel's packet filter by it. Linux has them in files, too.
 */
export function ownAddresses({ list, read }: AddressSources = thisMachine): readonly string[] | null {
  try {
    return list();
  } catch {
    const found = [localIpv4, localIpv6].map((readThem) => readThem(read));
    return found.every((addresses) => addresses === null) ? null : found.flatMap((some) => some ?? []);
  }
}

const thisMachine: AddressSources = {
  list: () => Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? []),
  read: (path) => readFileSync(path, 'latin1'),
};

/** The address stands on a line of its own, what it is on the next. */
function localIpv4(read: AddressSources['read']): string[] | null {
  const text = readOrNull(read, '/proc/net/fib_trie');
  if (text === null) return null;
  return [...text.matchAll(/\|-- (\d+\.\d+\.\d+\.\d+)\n\s*\/32 host LOCAL/g)].map(
    ([, address = '']) => address,
  );
}

/** 32 hexadecimal digits begin each line. A kernel without IPv6 has no such file. */
function localIpv6(read: AddressSources['read']): string[] | null {
  const text = readOrNull(read, '/proc/net/if_inet6');
  if (text === null) return null;
  return [...text.matchAll(/^([0-9a-f]{32})\s/gm)].map(([, digits = '']) =>
    (digits.match(/.{4}/g) ?? []).join(':'),
  );
}

function readOrNull(read: AddressSources['read'], path: string): string | null {
  try {
    return read(path);
  } catch {
    return null;
  }
}
