import { describe, expect, it } from 'vitest';
import { upstreamFor } from '../../../src/browser/egress/upstream-proxy.ts';

const proxies = (noProxy: string) => ({ httpProxy: 'http://h:1', httpsProxy: 'http://s:2', noProxy });

describe('the proxy of a host', () => {
  it('is that of its kind, and for tunnels that of plain HTTP where there is no other', () => {
    expect(upstreamFor({ host: 'a.test', port: 80 }, false, proxies(''))).toBe('http://h:1');
    expect(upstreamFor({ host: 'a.test', port: 443 }, true, proxies(''))).toBe('http://s:2');
    expect(upstreamFor({ host: 'a.test', port: 443 }, true, { ...proxies(''), httpsProxy: '' })).toBe(
      'http://h:1',
    );
    expect(upstreamFor({ host: 'a.test', port: 80 }, false, { ...proxies(''), httpProxy: '' })).toBeNull();
  });

  it.each<[string, string, number, boolean]>([
    ['*', 'a.test', 80, true],
    ['corp.test', 'corp.test', 80, true],
    ['corp.test', 'a.corp.test', 80, true],
    ['corp.test', 'evilcorp.test', 80, false],
    ['.corp.test', 'a.b.corp.test', 80, true],
    ['*.corp.test', 'a.corp.test', 80, true],
    ['a.test, b.test', 'b.test', 80, true],
    ['a.test b.test', 'b.test', 80, true],
    ['a.test:8080', 'a.test', 8080, true],
    ['a.test:8080', 'a.test', 80, false],
    ['10.0.0.0/8', '10.1.2.3', 80, true],
    ['192.168.1.5', '192.168.1.5', 80, true],
    ['[::1]', '[::1]', 80, true],
    ['!!!,b.test', 'b.test', 80, true],
    ['!!!', 'a.test', 80, false],
    ['', 'a.test', 80, false],
  ])('with NO_PROXY=%s, %s:%i goes around it: %s', (noProxy, host, port, isDirect) => {
    expect(upstreamFor({ host, port }, false, proxies(noProxy)) === null).toBe(isDirect);
  });
});
