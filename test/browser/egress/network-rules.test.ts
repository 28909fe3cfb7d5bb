import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import {
  isOfThisMachine,
  type NetworkProfile,
  type NetworkRules,
  refusalOf,
} from '../../../src/browser/egress/network-rules.ts';
import { parseHostPattern } from '../../../src/lib/host-pattern.ts';

const rules = (
  profile: NetworkProfile,
  { allow = [], only }: { allow?: string[]; only?: string[] } = {},
): NetworkRules => ({
  profile,
  allowHosts: allow.map(parseHostPattern),
  onlyLists: only === undefined ? [] : [{ named: '--only-hosts', hosts: only.map(parseHostPattern) }],
});

/** The word of the refusal, or `open`. */
function verdict(
  host: string,
  addresses: readonly string[],
  given: NetworkRules,
  port = 80,
  ownPorts: number[] = [],
): string {
  return refusalOf({ host, port }, addresses, given, { ownPorts })?.word ?? 'open';
}

const places = {
  public: '8.8.8.8',
  private: '10.0.0.5',
  reserved: '198.18.0.1',
  loopback: '127.0.0.1',
  multicast: '224.0.0.1',
  'link-local': '169.254.1.1',
  metadata: '169.254.169.254',
};

describe('a profile', () => {
  it.each<[NetworkProfile, (keyof typeof places)[]]>([
    ['open', ['public', 'private', 'reserved', 'loopback', 'multicast']],
    ['lan', ['public', 'private', 'reserved']],
    ['public', ['public']],
  ])('%s opens %s and nothing else', (profile, expected) => {
    const open = Object.entries(places).filter(
      ([, address]) => verdict('app.test', [address], rules(profile)) === 'open',
    );
    expect(open.map(([kind]) => kind)).toEqual(expected);
  });

  it('closes a name of which one address is closed', () => {
    expect(verdict('app.test', ['8.8.8.8', '127.0.0.1'], rules('lan'))).toBe('loopback');
  });

  it.each(['metadata.google.internal', 'metadata.goog', 'instance-data'])(
    'closes %s wherever it leads',
    (name) => {
      expect(verdict(name, ['8.8.8.8'], rules('open'))).toBe('cloud metadata');
      expect(verdict(name, [], rules('open'))).toBe('cloud metadata');
      expect(verdict(name, ['169.254.169.254'], rules('lan', { allow: [name] }))).toBe('open');
      expect(verdict(name, ['169.254.169.254'], rules('lan', { allow: ['*'] }))).toBe('cloud metadata');
    },
  );
});

describe('--allow-host', () => {
  it.each<[string, string, string[], string]>([
    ['localhost', 'localhost', ['127.0.0.1', '::1'], 'open'],
    ['localhost:80', 'localhost', ['127.0.0.1'], 'open'],
    ['localhost:81', 'localhost', ['127.0.0.1'], 'loopback'],
    ['127.0.0.1', 'localhost', ['127.0.0.1'], 'open'],
    ['127.0.0.1', 'localhost', ['127.0.0.1', '::1'], 'loopback'],
    ['127.0.0.0/8', '127.9.9.9', ['127.9.9.9'], 'open'],
    ['127.0.0.1', '[::ffff:7f00:1]', ['::ffff:7f00:1'], 'open'],
    ['127.0.0.1', '[::1]', ['::1'], 'loopback'],
    ['[::1]', '[::1]', ['::1'], 'open'],
    ['*.corp.test', 'app.corp.test', ['10.0.0.1'], 'open'],
    ['*.corp.test', 'corp.test.evil.test', ['10.0.0.1'], 'private network'],
    ['10.0.0.0/8', 'app.test', ['10.0.0.1'], 'open'],
    ['10.0.0.0/8', 'app.test', ['10.0.0.1', '127.0.0.1'], 'loopback'],
    ['*', 'app.test', ['127.0.0.1'], 'open'],
    ['0.0.0.0/0', 'app.test', ['127.0.0.1'], 'open'],
    // What is closed always is opened by rules that were written for it.
    ['*', 'app.test', ['169.254.169.254'], 'cloud metadata'],
    ['app.test', 'app.test', ['169.254.169.254'], 'cloud metadata'],
    ['0.0.0.0/0', 'app.test', ['169.254.169.254'], 'cloud metadata'],
    ['::/0', 'app.test', ['fe80::1'], 'link-local'],
    ['fc00::/7', 'app.test', ['fd00:ec2::254'], 'cloud metadata'],
    ['169.254.169.254', '169.254.169.254', ['169.254.169.254'], 'open'],
    ['169.254.169.254:8080', '169.254.169.254', ['169.254.169.254'], 'cloud metadata'],
    ['169.254.169.254', 'app.test', ['169.254.169.254'], 'open'],
    ['169.254.169.254', '[::ffff:a9fe:a9fe]', ['::ffff:a9fe:a9fe'], 'open'],
    ['169.254.0.0/16', 'printer.test', ['169.254.7.7'], 'open'],
    ['fe80::/10', '[fe80::1]', ['fe80::1'], 'open'],
  ])('%s: %s at %s is %s', (allow, host, addresses, expected) => {
    expect(verdict(host, addresses, rules('public', { allow: [allow] }))).toBe(expected);
  });

  it('never opens a port of the runner itself, on none of the addresses of this machine', () => {
    const own = Object.values(networkInterfaces()).flatMap(
      (list) => list?.map(({ address }) => address) ?? [],
    );
    for (const address of ['127.0.0.1', '127.8.8.8', '::1', '0.0.0.0', '::', '::ffff:127.0.0.1', ...own]) {
      expect(isOfThisMachine(address)).toBe(true);
      expect(verdict('app.test', [address], rules('open', { allow: ['*', address] }), 4000, [4000])).toBe(
        'port of the runner',
      );
    }
    expect(verdict('app.test', ['8.8.8.8'], rules('open'), 4000, [4000])).toBe('open');
  });
});

describe('--only-hosts', () => {
  const only = rules('lan', { only: ['app.test', '*.corp.test:443', '10.1.0.0/16'] });

  it.each<[string, number, string[], string]>([
    ['app.test', 80, ['8.8.8.8'], 'open'],
    ['app.test', 80, [], 'open'],
    ['other.test', 80, ['8.8.8.8'], 'not in --only-hosts'],
    ['other.test', 80, [], 'not in --only-hosts'],
    ['a.corp.test', 443, ['8.8.8.8'], 'open'],
    ['a.corp.test', 80, ['8.8.8.8'], 'not in --only-hosts'],
    ['other.test', 80, ['10.1.2.3'], 'open'],
    ['other.test', 80, ['10.1.2.3', '10.2.2.3'], 'not in --only-hosts'],
    ['10.1.2.3', 80, ['10.1.2.3'], 'open'],
    // It narrows the profile and does not widen it.
    ['app.test', 80, ['127.0.0.1'], 'loopback'],
  ])('%s:%i at %s is %s', (host, port, addresses, expected) => {
    expect(verdict(host, addresses, only, port)).toBe(expected);
  });

  it('is not widened by --allow-host', () => {
    expect(verdict('other.test', ['8.8.8.8'], rules('open', { allow: ['*'], only: ['app.test'] }))).toBe(
      'not in --only-hosts',
    );
  });

  it('may be one list of several, each of which counts', () => {
    const lists = [['a.test', 'b.test'], ['b.test']].map((hosts, index) => ({
      named: `list ${index}`,
      hosts: hosts.map(parseHostPattern),
    }));
    const both = { ...rules('open'), onlyLists: lists };
    expect(verdict('a.test', ['8.8.8.8'], both)).toBe('not in list 1');
    expect(verdict('b.test', ['8.8.8.8'], both)).toBe('open');
  });
});

describe('a refusal', () => {
  it.each<[string, string[], NetworkProfile, string]>([
    [
      '127.0.0.1',
      ['127.0.0.1'],
      'lan',
      'it is this machine itself (loopback); allow it with: --allow-host 127.0.0.1:80',
    ],
    [
      'app.test',
      ['10.0.0.5'],
      'public',
      'it leads to 10.0.0.5, which is in a private network; allow it with: --allow-host app.test:80',
    ],
    [
      'app.test',
      ['169.254.169.254'],
      'open',
      'it leads to 169.254.169.254, which is a cloud metadata service; allow it with: --allow-host 169.254.169.254:80',
    ],
    ['[fe80::1]', ['fe80::1'], 'open', 'it is link-local; allow it with: --allow-host [fe80::1]:80'],
    [
      'app.test',
      ['fe80::1'],
      'open',
      'it leads to fe80::1, which is link-local; allow it with: --allow-host [fe80::1]:80',
    ],
  ])('of %s at %s in %s says why, and a flag that really opens it', (host, addresses, profile, why) => {
    expect(refusalOf({ host, port: 80 }, addresses, rules(profile), { ownPorts: [] })?.why).toBe(why);
    const flag = /--allow-host (\S+)$/.exec(why)?.[1] ?? '';
    expect(verdict(host, addresses, rules(profile, { allow: [flag] }))).toBe('open');
  });
});
