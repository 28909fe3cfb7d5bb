import { describe, expect, it } from 'vitest';
import { networkUnderPolicy } from '../../../src/agent/policy/network-under-policy.ts';
import { refusalOf } from '../../../src/browser/egress/network-rules.ts';
import { parseHostPattern } from '../../../src/lib/host-pattern.ts';

const patterns = (...texts: string[]) => texts.map(parseHostPattern);
const lan = { profile: 'lan', allowHosts: [], onlyLists: [] } as const;
const noRule = { network: null, allowHosts: [], hosts: [], path: '/etc/policy.json' } as const;

describe('what flows may reach', () => {
  it('is what the command line says where there is no policy, or one without such rules', () => {
    const rules = { ...lan, allowHosts: patterns('a.example') };
    expect(networkUnderPolicy(rules, null)).toEqual(rules);
    expect(networkUnderPolicy(rules, noRule)).toEqual(rules);
  });

  it.each([
    ['open', 'public', 'public'],
    ['public', 'open', 'public'],
    ['lan', 'lan', 'lan'],
    ['lan', 'open', 'lan'],
    ['public', null, 'public'],
  ] as const)('%s on the command line and %s in the policy is %s', (profile, network, expected) => {
    expect(networkUnderPolicy({ ...lan, profile }, { ...noRule, network }).profile).toBe(expected);
  });

  it('has the exceptions of the policy only where that names the profile', () => {
    const rules = { ...lan, allowHosts: patterns('localhost') };
    const allowed = (network: 'lan' | null) =>
      networkUnderPolicy(rules, { ...noRule, network, allowHosts: patterns('10.1.2.3') }).allowHosts;
    expect(allowed('lan').map(({ text }) => text)).toEqual(['10.1.2.3']);
    expect(allowed(null).map(({ text }) => text)).toEqual(['localhost', '10.1.2.3']);
  });

  it('is what both lists have, and a refusal names the list that closes the host', () => {
    const rules = networkUnderPolicy(
      {
        ...lan,
        onlyLists: [{ named: '--only-hosts', hosts: patterns('app.corp.example:8443', 'www.example') }],
      },
      { ...noRule, hosts: patterns('*.corp.example') },
    );
    const why = (host: string, port = 443): string | undefined =>
      refusalOf({ host, port }, ['93.184.216.34'], rules, { ownPorts: [] })?.why;
    expect(why('app.corp.example', 8443)).toBeUndefined();
    expect(why('app.corp.example')).toContain('--only-hosts');
    expect(why('www.example')).toContain('"hosts" of /etc/policy.json');
  });
});
