import { expect, it } from 'vitest';
import { whichProxy } from '../../src/lib/which-proxy.ts';

const both = { httpProxy: 'http://h:1', httpsProxy: 'http://s:2', noProxy: 'near.test, 10.0.0.0/8:8080' };
const plain = (host: string, port = 80) => ({ host, port, isSecure: false });
const secure = (host: string, port = 443) => ({ host, port, isSecure: true });

it('takes the proxy of the kind of address', () => {
  expect(whichProxy(both)(plain('a.test'))).toBe('httpProxy');
  expect(whichProxy(both)(secure('a.test'))).toBe('httpsProxy');
});

it('sends https through HTTP_PROXY where there is no other, and never http through HTTPS_PROXY', () => {
  expect(whichProxy({ ...both, httpsProxy: '' })(secure('a.test'))).toBe('httpProxy');
  expect(whichProxy({ ...both, httpProxy: '' })(plain('a.test'))).toBeNull();
});

it('goes around both to hosts of NO_PROXY', () => {
  expect(whichProxy(both)(plain('a.near.test'))).toBeNull();
  expect(whichProxy(both)(secure('near.test', 8443))).toBeNull();
  expect(whichProxy(both)(plain('10.1.1.1', 8080))).toBeNull();
  expect(whichProxy(both)(plain('10.1.1.1'))).toBe('httpProxy');
});
