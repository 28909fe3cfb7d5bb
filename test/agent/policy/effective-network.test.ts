import { describe, expect, it } from 'vitest';
import { effectiveNetwork } from '../../../src/agent/policy/effective-network.ts';
import { parseHostPattern } from '../../../src/lib/host-pattern.ts';

const patterns = (...texts: string[]) => texts.map(parseHostPattern);
const nothingSaid = { network: null, allowHosts: [], onlyHosts: [] } as const;
const noRule = { network: null, allowHosts: [], hosts: [] } as const;

const reaches = (network: ReturnType<typeof effectiveNetwork>, host: string, port = 443): boolean =>
  network.onlyHosts.length === 0 || network.onlyHosts.some((one) => one.matchesHost(host, port));

describe('what flows may reach', () => {
  it('is what the configuration says where there is no policy, or one without such rules', () => {
    const config = {
      network: 'open',
      allowHosts: patterns('a.example'),
      onlyHosts: patterns('b.example'),
    } as const;
    expect(effectiveNetwork(config, null, 'lan')).toEqual(config);
    expect(effectiveNetwork(config, noRule, 'lan')).toEqual(config);
  });

  it.each([
    ['open', 'public', 'public'],
    ['public', 'open', 'public'],
    ['lan', 'lan', 'lan'],
    [null, 'open', 'lan'],
    [null, 'public', 'public'],
    ['public', null, 'public'],
    [null, null, null],
  ] as const)('%s in the configuration and %s in the policy is %s', (network, ofPolicy, expected) => {
    const policy = { ...noRule, network: ofPolicy };
    expect(effectiveNetwork({ ...nothingSaid, network }, policy, 'lan').network).toBe(expected);
  });

  it('has the exceptions of the policy only where that names the part of the network', () => {
    const config = { ...nothingSaid, allowHosts: patterns('localhost') };
    const allowed = (network: 'lan' | null) =>
      effectiveNetwork(config, { ...noRule, network, allowHosts: patterns('10.1.2.3') }, 'lan').allowHosts;
    expect(allowed('lan').map(({ text }) => text)).toEqual(['10.1.2.3']);
    expect(allowed(null).map(({ text }) => text)).toEqual(['localhost', '10.1.2.3']);
  });

  it('is one list of hosts where only one is given', () => {
    const hosts = patterns('*.corp.example');
    expect(effectiveNetwork(nothingSaid, { ...noRule, hosts }, 'lan').onlyHosts).toEqual(hosts);
    expect(effectiveNetwork({ ...nothingSaid, onlyHosts: hosts }, noRule, 'lan').onlyHosts).toEqual(hosts);
  });

  it('is what both lists have where two are given, never more than either', () => {
    const network = effectiveNetwork(
      { ...nothingSaid, onlyHosts: patterns('app.corp.example:8443', 'www.example', '10.0.0.0/8') },
      { ...noRule, hosts: patterns('*.corp.example', '10.1.0.0/16') },
      'lan',
    );
    expect(reaches(network, 'app.corp.example', 8443)).toBe(true);
    expect(reaches(network, 'app.corp.example', 443)).toBe(false);
    expect(reaches(network, 'other.corp.example')).toBe(false);
    expect(reaches(network, 'www.example')).toBe(false);
    expect(reaches(network, '10.1.2.3')).toBe(true);
    expect(reaches(network, '10.2.2.3')).toBe(false);
  });

  it('is nothing where the lists have nothing in common', () => {
    const network = effectiveNetwork(
      { ...nothingSaid, onlyHosts: patterns('a.example') },
      { ...noRule, hosts: patterns('b.example') },
      'lan',
    );
    expect([reaches(network, 'a.example'), reaches(network, 'b.example')]).toEqual([false, false]);
    expect(network.onlyHosts).not.toEqual([]);
  });
});
