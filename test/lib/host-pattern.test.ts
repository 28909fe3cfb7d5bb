import { describe, expect, it } from 'vitest';
import { parseHostPattern } from '../../src/lib/host-pattern.ts';

describe('a host pattern', () => {
  it.each([
    ['app.example.com', 'app.example.com', 443, true],
    ['app.example.com', 'APP.example.com.', 443, true],
    ['app.example.com', 'app.example.com.evil.test', 443, false],
    ['app.example.com:8443', 'app.example.com', 443, false],
    ['app.example.com:8443', 'app.example.com', 8443, true],
    ['*.example.com', 'a.b.example.com', 443, true],
    ['*.example.com', 'example.com', 443, false],
    ['*.example.com', 'evilexample.com', 443, false],
    ['*', 'anything.test', 1, true],
    ['*:8080', 'anything.test', 80, false],
    ['localhost:3000', 'localhost', 3000, true],
    ['10.0.0.0/8', '10.20.30.40', 80, true],
    ['10.0.0.0/8', '11.0.0.1', 80, false],
    ['10.0.0.0/8:80', '10.1.1.1', 81, false],
    ['192.168.1.5', '192.168.1.5', 80, true],
    ['127.0.0.1', '::ffff:127.0.0.1', 80, true],
    ['[::1]:3000', '[::1]', 3000, true],
    ['::1', '[::1]', 3000, true],
    ['fd00::/8', '[fd12:3456::1]', 80, true],
    ['bücher.example', 'xn--bcher-kva.example', 443, true],
    ['10.0.0.0/8', 'ten.example.com', 80, false],
  ])('%s against %s:%i is %s', (pattern, host, port, expected) => {
    expect(parseHostPattern(pattern).matchesHost(host, port)).toBe(expected);
  });

  it('compares addresses that a name led to with addresses and networks only', () => {
    expect(parseHostPattern('10.0.0.0/8').matchesAddress('10.1.2.3', 80)).toBe(true);
    expect(parseHostPattern('*').matchesAddress('10.1.2.3', 80)).toBe(true);
    expect(parseHostPattern('app.example.com').matchesAddress('10.1.2.3', 80)).toBe(false);
  });

  it.each([
    '',
    ':80',
    'a b',
    'https://app.example.com',
    'app.example.com/path',
    'a.*.example.com',
    '*.10.0.0.1',
    '10.0.0.0/33',
    'host:0',
    'host:70000',
    'user@host',
    'fd00::/129',
  ])('"%s" is refused', (text) => {
    expect(() => parseHostPattern(text)).toThrow(/is no host/);
  });
});
