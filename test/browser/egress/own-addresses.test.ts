import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { plainAddress } from '../../../src/browser/egress/address-kind.ts';
import { ownAddresses } from '../../../src/browser/egress/own-addresses.ts';

const listed = Object.values(networkInterfaces()).flatMap(
  (list) => list?.map(({ address }) => address) ?? [],
);

/** As in the hardened service, whose sockets may not be of the family of netlink. */
function list(): never {
  throw new Error('uv_interface_addresses returned Unknown system error 97');
}

describe('the addresses of this machine', () => {
  it('are those that the system lists', () => {
    expect(ownAddresses()).toEqual(listed);
  });

  it('are found in files where the system may not be asked', () => {
    const found = ownAddresses({ list, read: (path) => readFileSync(path, 'latin1') }) ?? [];
    expect(found.map(plainAddress)).toEqual(expect.arrayContaining(listed.map(plainAddress)));
    expect(found).not.toContain('0.0.0.0');
  });

  it('are not the networks around it, and found without IPv6, too', () => {
    const trie =
      'Main:\n  |-- 10.0.2.0\n     /24 link UNICAST\n  |-- 10.0.2.15\n     /32 host LOCAL\n  |-- 10.0.2.255\n     /32 link BROADCAST\n';
    const read = (path: string): string => {
      if (path === '/proc/net/fib_trie') return trie;
      throw new Error('ENOENT');
    };
    expect(ownAddresses({ list, read })).toEqual(['10.0.2.15']);
  });

  it('are not known where nothing tells them', () => {
    expect(ownAddresses({ list, read: list })).toBeNull();
  });
});
